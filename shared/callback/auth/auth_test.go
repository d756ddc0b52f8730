package auth_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/callback/auth"
	"github.com/postino/postino/shared/callback/oauth"
	"github.com/postino/postino/shared/language/strictjson"
)

func value(name string) string { return "<" + name + ">" }

func TestAuthBecomesOneHeader(t *testing.T) {
	for _, tt := range []struct{ source, name, text, view string }{
		{`null`, "", "", `{"type":"none"}`},
		{`{"type":"none"}`, "", "", `{"type":"none"}`},
		{`{"type":"basic","username":"{{ secrets.user }}","password":""}`, "authorization", "Basic PHVzZXI+Og==", `{"type":"basic","username":"***","password":""}`},
		{`{"type":"basic","username":"key","password":"p:{{secrets.p}}"}`, "authorization", "Basic a2V5OnA6PHA+", `{"type":"basic","username":"***","password":"***"}`},
		{`{"type":"bearer","token":"{{ secrets.loyalty }}"}`, "authorization", "Bearer <loyalty>", `{"type":"bearer","token":"***"}`},
		{`{"type":"header","name":"X-Api-Key","value":"v1 {{ secrets.k }}"}`, "x-api-key", "v1 <k>", `{"type":"header","name":"X-Api-Key","value":"***"}`},
		{`{"type":"oauth2","token_url":"https://id.example/t","client_id":"me","client_secret":"{{ secrets.s }}"}`, "authorization", "Bearer ",
			`{"type":"oauth2","token_url":"https://id.example/t","client_id":"***","client_secret":"***","scope":""}`},
	} {
		a, faults := auth.Read(strictjson.Value(tt.source))
		if len(faults) > 0 {
			t.Errorf("%s: %v", tt.source, faults)
			continue
		}
		if name, text := a.Header(value); name != tt.name || text != tt.text {
			t.Errorf("%s: header %s: %s, want %s: %s", tt.source, name, text, tt.name, tt.text)
		}
		if diff := cmp.Diff(tt.view, string(a.View())); diff != "" {
			t.Errorf("%s: view differs (-want +got):\n%s", tt.source, diff)
		}
		if a == nil {
			continue
		}
		again, err := auth.Decode(a.Encode())
		if err != nil {
			t.Errorf("%s: %v", tt.source, err)
			continue
		}
		if _, text := again.Header(value); text != tt.text {
			t.Errorf("%s: header after decoding = %s, want %s", tt.source, text, tt.text)
		}
	}
}

func TestBadAuthIsRefusedByField(t *testing.T) {
	for _, tt := range []struct{ source, field, about string }{
		{`"x"`, "auth", "object"},
		{`{"type":"oauth1"}`, "auth.type", "one of"},
		{`{"token":"x"}`, "auth.type", "one of"},
		{`{"type":"bearer"}`, "auth.token", "required"},
		{`{"type":"bearer","token":7}`, "auth.token", "string"},
		{`{"type":"bearer","token":"a***"}`, "auth.token", "***"},
		{`{"type":"bearer","token":"a\r\nb"}`, "auth.token", "control"},
		{`{"type":"bearer","token":"{{ data.x }}"}`, "auth.token", "secrets.name"},
		{`{"type":"bearer","token":"{{ secrets.x | upcase }}"}`, "auth.token", "secret"},
		{`{"type":"bearer","token":"x","scope":"y"}`, "auth.scope", "unknown"},
		{`{"type":"basic","username":"a:b","password":"c"}`, "auth.username", "colon"},
		{`{"type":"header","name":"Host","value":"c"}`, "auth.name", "url"},
		{`{"type":"oauth2","client_id":"a","client_secret":"b"}`, "auth.token_url", "required"},
		{`{"type":"oauth2","token_url":"https://a.example","client_id":"a"}`, "auth.client_secret", "required"},
		{`{"type":"oauth2","token_url":"https://a.example","client_id":"***","client_secret":"b"}`, "auth.client_id", "***"},
		{`{"type":"oauth2","token_url":"https://a.example","client_id":"a","client_secret":"b","scope":"a\"b"}`, "auth.scope", "words"},
		{`{"type":"header","name":"a b","value":"c"}`, "auth.name", "name"},
	} {
		_, faults := auth.Read(strictjson.Value(tt.source))
		if len(faults) != 1 || faults[0].Field != tt.field || !strings.Contains(faults[0].Detail, tt.about) {
			t.Errorf("%s: faults = %v, want one of %s about %q", tt.source, faults, tt.field, tt.about)
		}
	}
}

func TestSecretsAreNamedOnce(t *testing.T) {
	a, _ := auth.Read(strictjson.Value(`{"type":"basic","username":"{{ secrets.b }}","password":"{{ secrets.a }}{{ secrets.b }}"}`))
	if diff := cmp.Diff([]string{"a", "b"}, a.Secrets()); diff != "" {
		t.Errorf("secrets differ (-want +got):\n%s", diff)
	}
}

func TestAGrantIsFilledWithSecrets(t *testing.T) {
	a, faults := auth.Read(strictjson.Value(`{"type":"oauth2","token_url":"https://id.example/t","client_id":"{{ secrets.id }}","client_secret":"x{{ secrets.s }}","scope":"a b"}`))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	got, needed := a.Grant(value)
	want := oauth.Grant{URL: "https://id.example/t", ClientID: "<id>", ClientSecret: "x<s>", Scope: "a b"}
	if !needed || got != want || a.TokenURL() != want.URL {
		t.Errorf("Grant = %+v, %v, want %+v", got, needed, want)
	}
	if diff := cmp.Diff([]string{"id", "s"}, a.Secrets()); diff != "" {
		t.Errorf("secrets differ (-want +got):\n%s", diff)
	}
	if _, needed := (*auth.Auth)(nil).Grant(value); needed {
		t.Error("no auth needs a token")
	}
}
