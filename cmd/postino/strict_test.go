package main

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/postino/postino/cmd/postino/server"
	"github.com/postino/postino/cmd/postino/server/servertest"
)

// started is a server as its flags say.
func started(t *testing.T, args ...string) *server.Server {
	t.Helper()
	c := configuration()
	c.AdminKey = "an-admin-key-for-tests-0123456789"
	if err := serveFlags("serve", &c).Parse(args); err != nil {
		t.Fatal(err)
	}
	return servertest.Start(t, func(to *server.Config) {
		c.Addr, c.Data, c.Log = to.Addr, to.Data, slog.New(slog.DiscardHandler)
		*to = c
	})
}

func ask(t *testing.T, s *server.Server, method, path, body string) (status int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer an-admin-key-for-tests-0123456789")
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(b)
}

func TestStrictFlagsRefuseWhatNobodyMadeOrRegistered(t *testing.T) {
	const event = `{"type":"order.payed","data":1}`
	for _, tt := range []struct {
		flags  string
		tenant string
		status int
		want   string
	}{
		{"", "acme", 202, `"id"`},
		{"", "acm", 202, `there was no tenant acm: this request made it; did you mean \"acme\"?`},
		{"-strict-tenants", "acme", 202, `"id"`},
		{"-strict-tenants", "acm", 404, `did you mean \"acme\"?`},
		{"-strict-types", "acme", 422, "is not registered"},
		{"-strict-types -strict-tenants", "acm", 404, "tenant_not_made"},
	} {
		s := started(t, strings.Fields(tt.flags)...)
		if got, text := ask(t, s, "PUT", "/v1/tenants/acme", ""); got != 201 {
			t.Fatalf("make a tenant = %d %s", got, text)
		}
		if got, text := ask(t, s, "PUT", "/v1/tenants/acme/event-types/order.paid", `{}`); got != 201 {
			t.Fatalf("register a type = %d %s", got, text)
		}
		if got, text := ask(t, s, "POST", "/v1/tenants/"+tt.tenant+"/events", event); got != tt.status || !strings.Contains(text, tt.want) {
			t.Errorf("with %q an event of %s = %d %s, want %d with %s", tt.flags, tt.tenant, got, text, tt.status, tt.want)
		}
		_, text := ask(t, s, "PUT", "/v1/tenants/globex/secrets/k", `{"value":"v"}`)
		if refused := strings.Contains(text, "tenant_not_made"); refused != strings.Contains(tt.flags, "tenants") {
			t.Errorf("with %q a secret of globex = %s", tt.flags, text)
		}
	}
}
