//go:build go1.25

package verify_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postino/postino/verify"
)

const (
	vectorID     = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorTime   = 1614265330
	vectorBody   = `{"test": 2432232314}`
	vectorSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorPublic = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
	vectorV1     = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	vectorV1a    = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
)

func header(id, timestamp, signatures string) http.Header {
	h := http.Header{}
	for name, value := range map[string]string{"webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures} {
		if value != "" {
			h.Set(name, value)
		}
	}
	return h
}

func verifier(t testing.TB, secrets ...string) *verify.Verifier {
	t.Helper()
	v, err := verify.New(secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// at runs f in a bubble whose clock stands at the vectors' time plus later.
func at(t *testing.T, later time.Duration, f func(t *testing.T)) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Unix(vectorTime, 0).Add(later)))
		f(t)
	})
}

func TestTheSpecificationsSignaturesAreBelieved(t *testing.T) {
	const other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	now := strconv.Itoa(vectorTime)
	at(t, 0, func(t *testing.T) {
		for _, tt := range []struct {
			name, signatures string
			secrets          []string
			want             error
		}{
			{"v1", vectorV1, []string{vectorSecret}, nil},
			{"v1a", vectorV1a, []string{vectorPublic}, nil},
			{"both, knowing one", vectorV1a + " " + vectorV1, []string{vectorSecret}, nil},
			{"both, knowing the other", vectorV1 + " " + vectorV1a, []string{vectorPublic}, nil},
			{"the second of two secrets", vectorV1, []string{other, vectorSecret}, nil},
			{"among unknown schemes", "v2,AAAA v1,AAAA , v1 x,y " + vectorV1, []string{vectorSecret}, nil},
			{"another secret", vectorV1, []string{other}, verify.ErrNoMatch},
			{"v1 for a public key", vectorV1, []string{vectorPublic}, verify.ErrNoMatch},
			{"v1a for a shared secret", vectorV1a, []string{vectorSecret}, verify.ErrNoMatch},
			{"scheme exchanged", "v1a" + strings.TrimPrefix(vectorV1, "v1"), []string{vectorSecret, vectorPublic}, verify.ErrNoMatch},
			{"no scheme", strings.TrimPrefix(vectorV1, "v1,"), []string{vectorSecret}, verify.ErrNoMatch},
			{"empty signatures", "v1, v1a,", []string{vectorSecret, vectorPublic}, verify.ErrNoMatch},
			{"cut short", vectorV1[:40], []string{vectorSecret}, verify.ErrNoMatch},
			{"no signature", "", []string{vectorSecret}, verify.ErrMissingHeader},
			{"too many", strings.Repeat("v1,AAAA ", 32) + vectorV1, []string{vectorSecret}, verify.ErrMalformedHeader},
		} {
			err := verifier(t, tt.secrets...).Verify(header(vectorID, now, tt.signatures), []byte(vectorBody))
			if !errors.Is(err, tt.want) {
				t.Errorf("%s: Verify = %v, want %v", tt.name, err, tt.want)
			}
		}
	})
}

func TestEveryPartIsSigned(t *testing.T) {
	at(t, 0, func(t *testing.T) {
		v := verifier(t, vectorSecret, vectorPublic)
		for _, signatures := range []string{vectorV1, vectorV1a} {
			for _, tt := range []struct{ id, timestamp, body string }{
				{vectorID + "x", "1614265330", vectorBody},
				{vectorID, "1614265331", vectorBody},
				{vectorID, "01614265330", vectorBody},
				{vectorID, "1614265330", vectorBody + " "},
				{vectorID, "1614265330", ""},
			} {
				if err := v.Verify(header(tt.id, tt.timestamp, signatures), []byte(tt.body)); !errors.Is(err, verify.ErrNoMatch) {
					t.Errorf("Verify of %v = %v, want ErrNoMatch", tt, err)
				}
			}
		}
	})
}

func TestOldAndFutureCallbacksAreRefused(t *testing.T) {
	for _, tt := range []struct {
		later, tolerance time.Duration
		want             error
	}{
		{5 * time.Minute, 0, nil},
		{5*time.Minute + 1, 0, verify.ErrTooOld},
		{-5 * time.Minute, 0, nil},
		{-5*time.Minute - 1, 0, verify.ErrTooNew},
		{time.Hour, time.Hour, nil},
		{time.Hour + 1, time.Hour, verify.ErrTooOld},
		{2 * time.Second, time.Second, verify.ErrTooOld},
	} {
		at(t, tt.later, func(t *testing.T) {
			v := verifier(t, vectorSecret)
			v.Tolerance = tt.tolerance
			err := v.Verify(header(vectorID, "1614265330", vectorV1), []byte(vectorBody))
			if !errors.Is(err, tt.want) {
				t.Errorf("%v after signing, with tolerance %v: Verify = %v, want %v", tt.later, tt.tolerance, err, tt.want)
			}
		})
	}
}

func TestHeadersAreNamedWhenTheyAreBad(t *testing.T) {
	v := verifier(t, vectorSecret)
	now := strconv.FormatInt(time.Now().Unix(), 10)
	for _, tt := range []struct {
		header http.Header
		want   error
		name   string
	}{
		{http.Header{}, verify.ErrMissingHeader, "webhook-id"},
		{header("id", "", vectorV1), verify.ErrMissingHeader, "webhook-timestamp"},
		{header("id", now, " "), verify.ErrMissingHeader, "webhook-signature"},
		{header("id.1", now, vectorV1), verify.ErrMalformedHeader, "webhook-id"},
		{header(strings.Repeat("i", 1025), now, vectorV1), verify.ErrMalformedHeader, "webhook-id"},
		{header("id", "now", vectorV1), verify.ErrMalformedHeader, "webhook-timestamp"},
		{header("id", "-5", vectorV1), verify.ErrMalformedHeader, "webhook-timestamp"},
		{header("id", "+"+now, vectorV1), verify.ErrMalformedHeader, "webhook-timestamp"},
		{header("id", now+".0", vectorV1), verify.ErrMalformedHeader, "webhook-timestamp"},
		{header("id", "9999999999999", vectorV1), verify.ErrMalformedHeader, "webhook-timestamp"},
		{http.Header{"Webhook-Id": {"a", "b"}}, verify.ErrMalformedHeader, "webhook-id"},
	} {
		err := v.Verify(tt.header, nil)
		if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.name) {
			t.Errorf("Verify with %.80v = %v, want %v about %s", tt.header, err, tt.want, tt.name)
		}
	}
}

func TestLowerCaseNamesAndSplitListsWillDo(t *testing.T) {
	at(t, 0, func(t *testing.T) {
		h := http.Header{"webhook-id": {vectorID}, "webhook-timestamp": {"1614265330"}, "webhook-signature": {"v1,AAAA", vectorV1}}
		if err := verifier(t, vectorSecret).Verify(h, []byte(vectorBody)); err != nil {
			t.Errorf("Verify = %v, want it believed", err)
		}
	})
}

func TestBadSecretsAreRefusedUnseen(t *testing.T) {
	of := func(n int) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xA7}, n)) }
	for _, secret := range []string{
		"", "whsec_", "whsec_" + of(257), "whsec_p6en!", of(32), "whpk_" + of(31), "whpk_" + of(64),
		"whsk_" + of(64), "WHSEC_" + of(32),
	} {
		v, err := verify.New(vectorSecret, secret)
		if v != nil || !errors.Is(err, verify.ErrSecret) || strings.Contains(err.Error(), "p6en") {
			t.Errorf("New(%q) = %v, want ErrSecret, unseen", secret, err)
		}
	}
	if _, err := verify.New(); !errors.Is(err, verify.ErrSecret) {
		t.Errorf("New() = %v, want ErrSecret", err)
	}
	var zero verify.Verifier
	now := strconv.FormatInt(time.Now().Unix(), 10)
	if err := zero.Verify(header("id", now, vectorV1+" "+vectorV1a), nil); !errors.Is(err, verify.ErrNoMatch) {
		t.Errorf("the zero Verifier says %v, want ErrNoMatch", err)
	}
}

func FuzzVerify(f *testing.F) {
	v := verifier(f, vectorSecret, vectorPublic)
	v.Tolerance = 1 << 62 // the vectors are old
	f.Add(vectorID, "1614265330", vectorV1+" "+vectorV1a, []byte(vectorBody))
	f.Add("id", "0", "v1,AAAA v1a,AAAA", []byte{})
	f.Add("", "x", ",, v1,", []byte("{}"))
	f.Fuzz(func(t *testing.T, id, timestamp, signatures string, body []byte) {
		h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {timestamp}, "Webhook-Signature": {signatures}}
		if err := v.Verify(h, body); err == nil && (id != vectorID || timestamp != "1614265330" || string(body) != vectorBody) {
			t.Fatalf("forged: %q %q %q %q", id, timestamp, signatures, body)
		}
	})
}
