package courier

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/webhook"
)

// An event outlives the secrets of who was called, and everybody of the tenant gets it.
func TestWhatAnEventIsMadeOfIsBoundedAndHoldsNoSecret(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(r.Header.Get("Authorization") + strings.Repeat("a\xff", render.MaxEmitted)))
	}))
	defer s.Close()
	sub := authorized(t, s.URL, `{"type":"bearer","token":"token-of-the-operator"}`)
	if said := posted(t, poster(t, "127.0.0.0/8"), sub).Said; said != "" {
		t.Errorf("without emit, %d bytes of the answer are kept for it, want none", len(said))
	}
	sub.Emit = &webhook.Emit{On: webhook.EmitOnSuccess, Type: "b"}
	said := posted(t, poster(t, "127.0.0.0/8"), sub).Said
	if !strings.HasPrefix(said, "Bearer ***a") {
		t.Errorf("an event is made of %.40q…, want the token as ***", said)
	}
	if len(said) > render.MaxEmitted || len(said) < render.MaxEmitted-utf8.UTFMax || !utf8.ValidString(said) {
		t.Errorf("an event is made of %d bytes, valid UTF-8: %t, want %d at most, and valid", len(said), utf8.ValidString(said), render.MaxEmitted)
	}
}
