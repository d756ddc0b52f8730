package sqsqueue

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/postino/postino/shared/queue"
)

func random(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{7}).Read(b)
	return b
}

func TestBodiesComeBackFromText(t *testing.T) {
	for _, tt := range []struct {
		name string
		body []byte
		mark byte // of the text; 0: as it is
	}{
		{"plain JSON", []byte(`{"kind":"retry"}`), 0},
		{"plain array", []byte(`[1]`), 0},
		{"JSON with a control character", []byte("{\"a\":1}\n"), markBase64},
		{"JSON with other letters", []byte(`{"a":"é"}`), markBase64},
		{"text", []byte("hello"), markBase64},
		{"what looks encoded", []byte("zH4sIAAAA"), markBase64},
		{"one byte", []byte{0}, markBase64},
		{"repetition", bytes.Repeat([]byte("ab\x00"), 1000), markGzip},
		{"noise", random(1000), markBase64},
		{"the largest noise", random(queue.MaxBody), markBase64},
		{"the largest JSON", []byte("[" + strings.Repeat(" ", queue.MaxBody-2) + "]"), 0},
	} {
		text := Encode(tt.body)
		switch {
		case tt.mark == 0 && text != string(tt.body):
			t.Errorf("%s: encoded, want it as it is", tt.name)
		case tt.mark != 0 && text[0] != tt.mark:
			t.Errorf("%s: text begins with %q, want %q", tt.name, text[0], tt.mark)
		case len(text) > maxText || !utf8.ValidString(text):
			t.Errorf("%s: SQS does not take the text, %d bytes", tt.name, len(text))
		}
		if got, err := Decode(text); err != nil || !bytes.Equal(got, tt.body) {
			t.Errorf("%s: Decode gives %d bytes, %v, want the %d bytes", tt.name, len(got), err, len(tt.body))
		}
	}
}

// zipped is the text of n zero bytes.
func zipped(n int) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(make([]byte, n))
	w.Close()
	return string(markGzip) + base64.StdEncoding.EncodeToString(b.Bytes())
}

func TestForeignTextIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "only a mark": "b", "only the other mark": "z", "no mark": "hello", "not base64": "b!!!!", "loose base64": "bQR==",
		"not gzip": "bm90IGd6aXA=", "base64 but not gzip": "zAAAA", "cut gzip": zipped(1000)[:21], "empty gzip": zipped(0),
		"a bomb": zipped(queue.MaxBody + 1), "a larger bomb": zipped(200 << 20), "too long": "{" + strings.Repeat(" ", maxText),
		"JSON over the limit": "{" + strings.Repeat(" ", queue.MaxBody),
	} {
		if name == "not gzip" {
			text = "z" + text
		}
		if _, err := Decode(text); !errors.Is(err, ErrBody) {
			t.Errorf("%s: Decode gives %v, want %v", name, err, ErrBody)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, body := range [][]byte{[]byte(`{"a":1}`), []byte("text"), bytes.Repeat([]byte("a"), 500), random(300)} {
		f.Add(Encode(body))
	}
	f.Add(zipped(queue.MaxBody + 1))
	f.Add(zipped(100)[:30])
	f.Add("z")
	f.Fuzz(func(t *testing.T, text string) {
		body, err := Decode(text)
		if err != nil {
			if !errors.Is(err, ErrBody) || body != nil {
				t.Fatalf("Decode(%q) = %d bytes, %v", text, len(body), err)
			}
			return
		}
		if len(body) == 0 || len(body) > queue.MaxBody {
			t.Fatalf("Decode(%q) gives %d bytes", text, len(body))
		}
		if again, err := Decode(Encode(body)); err != nil || !bytes.Equal(again, body) {
			t.Fatalf("what Decode gave for %q does not come back: %v", text, err)
		}
	})
}

func FuzzEncode(f *testing.F) {
	f.Add([]byte(`{"a":1}`))
	f.Add([]byte{0xff, 0})
	f.Add(bytes.Repeat([]byte("ab"), 100))
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) == 0 || len(body) > queue.MaxBody {
			return
		}
		text := Encode(body)
		for i := range len(text) {
			if text[i] < ' ' || text[i] > '~' {
				t.Fatalf("Encode(%q) has the byte %#x", body, text[i])
			}
		}
		if got, err := Decode(text); err != nil || !bytes.Equal(got, body) {
			t.Fatalf("Decode(Encode(%q)) = %q, %v", body, got, err)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	body := []byte(`P{"id":"evt_1","type":"flight.booked","subject":"u1"}` + strings.Repeat(`{"booking":"b17","cabin":"economy","price":129}`, 20))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		Encode(body)
	}
}

func BenchmarkDecode(b *testing.B) {
	text := Encode([]byte(`P{"id":"evt_1","type":"flight.booked","subject":"u1"}` + strings.Repeat(`{"booking":"b17","cabin":"economy","price":129}`, 20)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(text); err != nil {
			b.Fatal(err)
		}
	}
}
