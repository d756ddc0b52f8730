package courier

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/postino/postino/shared/webhook"
)

func TestATestThatGoesElsewhereTakesNoSecretAlong(t *testing.T) {
	var got http.Header
	var said string
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got, said = r.Header, r.URL.String()+" "+string(body)
	}))
	defer s.Close()
	sub := authorized(t, "https://subscriber.example/", `{"type":"header","name":"x-key","value":"hidden-key"}`)
	sub.Auth.Header = "x-key"
	secret := []webhook.Insert{{At: 1, Secret: "crm", Encode: "json"}}
	inHeader := webhook.Text{Plain: "k ", Inserts: []webhook.Insert{{At: 2, Secret: "crm"}}}
	url := webhook.Text{Plain: s.URL + "/?t=", Inserts: []webhook.Insert{{At: len(s.URL) + 4, Secret: "crm", Encode: "query"}}}
	a, err := poster(t, "127.0.0.0/8").Test(t.Context(), sub, webhook.Trial{
		Delivery: "dlv_1", Event: "evt_1", Elsewhere: true,
		Target:  webhook.Target{URL: url, Headers: []webhook.Header{{Name: "x-own", Value: inHeader}}},
		Content: webhook.Content{Method: "POST", ContentType: "application/json", Body: webhook.Text{Plain: `""`, Inserts: secret}},
	})
	if err != nil || a.StatusCode != 200 {
		t.Fatalf("the test ended with %v, %+v", err, a)
	}
	if said != `/?t=*** "***"` || got.Get("x-own") != "k ***" || got.Get("x-key") != "***" || got.Get("Webhook-Signature") != "***" || got.Get("Postino-Test") != "true" {
		t.Errorf("the receiver saw %s with %v, want stars for all that is secret", said, got)
	}
	for name, values := range got {
		if text := strings.Join(values, " "); strings.Contains(text, "hidden") {
			t.Errorf("%s = %s", name, text)
		}
	}
}
