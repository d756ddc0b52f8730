package e2e

import (
	"strings"
	"testing"

	"github.com/postino/postino/cmd/postino/server"
)

// TestParametersMakeAnInstallationStrict sees that the template's parameters do
// what the flags do.
func TestParametersMakeAnInstallationStrict(t *testing.T) {
	for name, strict := range map[string]struct {
		config     func(*server.Config)
		parameters map[string]string
		judge      func(*scene)
	}{
		"types":   {func(c *server.Config) { c.StrictTypes = true }, map[string]string{"StrictTypes": "on"}, judgeTypes},
		"tenants": {func(c *server.Config) { c.StrictTenants = true }, map[string]string{"StrictTenants": "on"}, judgeTenants},
		"neither": {func(*server.Config) {}, nil, judgeNeither},
	} {
		t.Run(name+" in one process", func(t *testing.T) {
			strict.judge(&scene{t, startLocal(t, strict.config), newReceiver(t), "acme"})
		})
		t.Run(name+" through the functions", func(t *testing.T) {
			strict.judge(&scene{t, deploy(t, settings{asleep: true, parameters: strict.parameters}), newReceiver(t), "acme"})
		})
	}
}

// says wants an answer of a status that holds a text; "" is in any.
func (s *scene) says(method, path, body string, status int, text string) {
	s.Helper()
	got := s.call(method, path, body)
	if got.status != status || !strings.Contains(string(got.text), text) {
		s.Errorf("%s %s %s = %d %s, want %d with %s", method, path, body, got.status, got.text, status, text)
	}
}

const (
	strictEvent = `{"type":"order.paid","data":1}`
	strictSub   = `{"url":"https://a.example/"}`
	acm         = "/v1/tenants/acm"
)

func judgeTypes(s *scene) {
	s.says("PUT", "/v1/tenants/acme", "", 201, "")
	s.says("POST", "/events", strictEvent, 422, "is not registered")
	s.says("PUT", "/event-types/order.paid", "{}", 201, "")
	s.says("POST", "/events", strictEvent, 202, "")
	s.says("PUT", acm+"/subscriptions/s", strictSub, 201, `did you mean \"acme\"?`)
}

func judgeTenants(s *scene) {
	s.says("POST", "/events", strictEvent, 404, "tenant_not_made")
	s.says("PUT", "/v1/tenants/acme", "", 201, "")
	s.says("POST", "/events", strictEvent, 202, "")
	s.says("POST", acm+"/events", strictEvent, 404, `did you mean \"acme\"?`)
	s.says("PUT", acm+"/subscriptions/s", strictSub, 404, `did you mean \"acme\"?`)
}

func judgeNeither(s *scene) {
	s.says("POST", "/events", strictEvent, 202, "there was no tenant acme: this request made it.")
	s.says("POST", "/events", strictEvent, 202, "")
	s.says("POST", acm+"/events", strictEvent, 202, `this request made it; did you mean \"acme\"?`)
	s.says("PUT", "/subscriptions/s", strictSub, 201, "")
}
