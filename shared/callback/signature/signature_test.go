package signature

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

const (
	vectorID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorTime      = 1614265330
	vectorBody      = `{"test": 2432232314}`
	vectorSymmetric = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorPrivate   = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
	vectorPublic    = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
)

// vector is one known signature.
type vector struct {
	ID        string `json:"id"`
	Timestamp int64  `json:"timestamp"`
	Body      string `json:"body"`
	Secret    string `json:"secret"`
	Signature string `json:"signature"`
}

// vectors are those of the Standard Webhooks specification.
var vectors = []vector{
	{vectorID, vectorTime, vectorBody, vectorSymmetric, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
	{vectorID, vectorTime, vectorBody, vectorPrivate,
		"v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="},
}

func checkVectors(t *testing.T, vectors []vector) {
	t.Helper()
	for _, v := range vectors {
		key := mustParse(t, v.Secret)
		got := key.Sign(v.ID, time.Unix(v.Timestamp, 999_999_999), []byte(v.Body))
		if got != v.Signature {
			t.Errorf("%s signature of %s = %s, want %s", key.Scheme(), v.ID, got, v.Signature)
		}
	}
}

func mustParse(t testing.TB, secret string) Key {
	t.Helper()
	key, err := ParseSecret(secret)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestSignaturesAreThoseOfTheSpecification(t *testing.T) { checkVectors(t, vectors) }

func TestASeedIsThePrivateKeyItBegins(t *testing.T) {
	whole, _ := encoding.DecodeString(strings.TrimPrefix(vectorPrivate, privatePrefix))
	seed := privatePrefix + encoding.EncodeToString(whole[:ed25519.SeedSize])
	if got, want := mustParse(t, seed).Public(), mustParse(t, vectorPrivate).Public(); got != want || got != vectorPublic {
		t.Errorf("public key of the seed = %s, of the whole key %s, want %s", got, want, vectorPublic)
	}
	if got := mustParse(t, vectorSymmetric).Public(); got != "" {
		t.Errorf("public half of a v1 secret = %q, want none", got)
	}
}

func TestEveryKeyInForceSigns(t *testing.T) {
	keys := []Key{mustParse(t, vectorSymmetric), {}, mustParse(t, vectorPrivate)}
	got := Header(keys, vectorID, time.Unix(vectorTime, 0), []byte(vectorBody))
	if want := vectors[0].Signature + " " + vectors[1].Signature; got != want {
		t.Errorf("Header = %s, want %s", got, want)
	}
	if got := Header(nil, vectorID, time.Unix(vectorTime, 0), nil); got != "" {
		t.Errorf("Header without keys = %q, want nothing", got)
	}
}

func TestGeneratedSecretsAreNewAndUsable(t *testing.T) {
	for _, scheme := range []Scheme{V1, V1a} {
		first, err := Generate(scheme)
		if err != nil {
			t.Fatal(err)
		}
		second, _ := Generate(scheme)
		if first == second {
			t.Errorf("two %s secrets are the same", scheme)
		}
		if got := mustParse(t, first).Scheme(); got != scheme {
			t.Errorf("scheme of a generated %s secret = %s", scheme, got)
		}
	}
	if _, err := Generate("v2"); !errors.Is(err, ErrScheme) {
		t.Errorf("Generate(v2) = %v, want ErrScheme", err)
	}
}

func TestBadSecretsAreRefusedWithoutBeingRepeated(t *testing.T) {
	bytesOf := func(n int) string { return encoding.EncodeToString(bytes.Repeat([]byte{0xA7}, n)) }
	private, _ := encoding.DecodeString(strings.TrimPrefix(vectorPrivate, privatePrefix))
	private[63] ^= 1
	for _, tt := range []struct {
		name, secret string
		want         error
	}{
		{"empty", "", ErrPrefix},
		{"no prefix", bytesOf(32), ErrPrefix},
		{"public key", vectorPublic, ErrPrefix},
		{"nothing after the prefix", "whsec_", ErrLength},
		{"23 bytes", "whsec_" + bytesOf(23), ErrLength},
		{"24 bytes", "whsec_" + bytesOf(24), nil},
		{"64 bytes", "whsec_" + bytesOf(64), nil},
		{"65 bytes", "whsec_" + bytesOf(65), ErrLength},
		{"a megabyte", "whsec_" + bytesOf(1<<20), ErrLength},
		{"url-safe alphabet", "whsec_" + strings.Repeat("-_", 16), ErrEncoding},
		{"padding missing", "whsec_" + strings.TrimRight(bytesOf(32), "="), ErrEncoding},
		{"line break inside", "whsec_" + bytesOf(24)[:8] + "\n" + bytesOf(24)[8:], ErrEncoding},
		{"line break behind", "whsec_" + bytesOf(32) + "\n", ErrEncoding},
		{"stray bits", "whsec_" + strings.Repeat("A", 41) + "B==", ErrEncoding},
		{"33-byte private key", "whsk_" + bytesOf(33), ErrLength},
		{"private key not base64", "whsk_%%%%", ErrEncoding},
		{"foreign public half", "whsk_" + encoding.EncodeToString(private), ErrKeyPair},
	} {
		err := Standard(tt.secret)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: got error %v, want %v", tt.name, err, tt.want)
		}
		if _, text, _ := strings.Cut(tt.secret, "_"); err != nil && len(text) > 8 && strings.Contains(err.Error(), text[:8]) {
			t.Errorf("%s: the error repeats the secret: %v", tt.name, err)
		}
	}
}

func TestAKeyFromElsewhereSignsWhateverItsLength(t *testing.T) {
	at := time.Unix(vectorTime, 0)
	for _, n := range []int{1, 2, 3, 8, 23, 24, 64, 65, 256} {
		key := bytes.Repeat([]byte{0xA7}, n)
		secret, err := Bytes(key)
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		h := hmac.New(sha256.New, key)
		fmt.Fprintf(h, "%s.%d.%s", vectorID, vectorTime, vectorBody)
		if got, want := mustParse(t, secret).Sign(vectorID, at, []byte(vectorBody)), "v1,"+encoding.EncodeToString(h.Sum(nil)); got != want {
			t.Errorf("a key of %d bytes signs %s, want %s", n, got, want)
		}
		if standard := Standard(secret) == nil; standard != (n >= 24 && n <= 64) {
			t.Errorf("a secret of %d bytes is standard: %v", n, standard)
		}
	}
	for _, n := range []int{0, 257} {
		if secret, err := Bytes(make([]byte, n)); !errors.Is(err, ErrLength) {
			t.Errorf("%d bytes: %q, %v, want ErrLength", n, secret, err)
		}
	}
	if _, err := ParseSecret("whsec_" + encoding.EncodeToString(make([]byte, 257))); !errors.Is(err, ErrLength) {
		t.Errorf("a secret of 257 bytes: %v, want ErrLength", err)
	}
}

func TestKeysPrintAsStars(t *testing.T) {
	key := mustParse(t, vectorPrivate)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		if got := fmt.Sprintf(verb, key); got != "***" {
			t.Errorf("%s of a key = %s, want ***", verb, got)
		}
		if got := fmt.Sprintf(verb, struct{ Keys []Key }{[]Key{key}}); !strings.Contains(got, "{***}") && !strings.Contains(got, "[***]") {
			t.Errorf("%s of a key in a struct = %s, want ***", verb, got)
		}
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("signed", "key", key)
	if !strings.HasSuffix(log.String(), "key=***\n") {
		t.Errorf("logging a key = %s, want ***", log.String())
	}
	//lint:ignore SA9005 the test shows that nothing of it is marshaled
	if asJSON, err := json.Marshal(key); err != nil || string(asJSON) != "{}" {
		t.Errorf("JSON of a key = %s, %v, want an empty object", asJSON, err)
	}
}

func TestOneKeySignsForManyAtOnce(t *testing.T) {
	key := mustParse(t, vectorSymmetric)
	wrong := make(chan string, 8)
	for range cap(wrong) {
		go func() {
			for range 200 {
				if got := key.Sign(vectorID, time.Unix(vectorTime, 0), []byte(vectorBody)); got != vectors[0].Signature {
					wrong <- got
					return
				}
			}
			wrong <- ""
		}()
	}
	for range cap(wrong) {
		if got := <-wrong; got != "" {
			t.Errorf("concurrent signature = %s, want %s", got, vectors[0].Signature)
		}
	}
}

func TestSigningV1ReusesItsState(t *testing.T) {
	key := mustParse(t, vectorSymmetric)
	at, body, dst := time.Unix(vectorTime, 0), []byte(vectorBody), make([]byte, 0, 128)
	n := testing.AllocsPerRun(100, func() { key.Append(dst, vectorID, at, body) })
	if n > 3 { // none, but under the race detector pools forget one state in four
		t.Errorf("Append allocates %v times, want none", n)
	}
}

func FuzzParseSecret(f *testing.F) {
	for _, seed := range []string{vectorSymmetric, vectorPrivate, vectorPublic, "whsec_", "whsk_AAAA", "whsec_\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, secret string) {
		key, err := ParseSecret(secret)
		if (err == nil) != (key.Scheme() != "") {
			t.Fatalf("ParseSecret gave scheme %q and error %v", key.Scheme(), err)
		}
		if err == nil && key.Sign("id", time.Unix(0, 0), nil) == "" {
			t.Fatal("an accepted secret signs nothing")
		}
	})
}

func BenchmarkSign(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 1024)
	for _, secret := range []string{vectorSymmetric, vectorPrivate} {
		key, at := mustParse(b, secret), time.Unix(vectorTime, 0)
		b.Run(string(key.Scheme())+"/1KiB", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				key.Sign(vectorID, at, body)
			}
		})
	}
}
