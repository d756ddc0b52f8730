package ingest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/postino/postino/shared/api/httpapi"
)

// asAdmin knows the admin key, and a tenant's key in whatever tenant.
type asAdmin struct{ httpapi.AdminKey }

const tenantKey = "a-key-of-the-tenant"

func (a asAdmin) Authenticate(ctx context.Context, tenant, key string) (httpapi.Principal, bool, error) {
	if key == tenantKey {
		return httpapi.Principal{Role: httpapi.Publish, Tenant: tenant}, true, nil
	}
	return a.AdminKey.Authenticate(ctx, tenant, key)
}

func TestTheFirstAnswerOfATenantSaysThatItIsNew(t *testing.T) {
	const made = `"warnings":[{"field":"tenant","detail":"there was no tenant `
	for _, tt := range []struct {
		tenant, body, key string
		list              error
		want              string
	}{
		{"acme", `{"type":"a","data":1}`, adminKey, nil, ""},
		{"acm", `{"type":"a","data":1}`, adminKey, nil, made + `acm: this request made it; did you mean \"acme\"?"}]}`},
		{"acm", `[{"type":"a","data":1}]`, adminKey, nil, made + `acm: this request made it; did you mean \"acme\"?"}]}`},
		{"globex", `{"type":"a","data":1}`, adminKey, nil, made + `globex: this request made it."}]}`},
		{"acm", `{"type":"a","data":1}`, adminKey, errors.New("down"), made + `acm: this request made it."}]}`},
		{"acm", `{"type":"a","data":1}`, tenantKey, nil, made + `acm: this request made it."}]}`},
	} {
		o := outside{list: tt.list}
		h := o.handler()
		h.Auth = asAdmin{httpapi.NewAdminKey(adminKey)}
		ask := func() answer {
			return do(t, h, "POST", "/v1/tenants/"+tt.tenant+"/events", tt.body, "Authorization", "Bearer "+tt.key)
		}
		if got := ask(); got.status != 202 || !strings.HasSuffix(string(got.body), tt.want) || tt.want == "" && strings.Contains(string(got.body), "warnings") {
			t.Errorf("publishing to %s first = %d %s, want it to end in %s", tt.tenant, got.status, got.body, tt.want)
		}
		if again := ask(); again.status != 202 || strings.Contains(string(again.body), "warnings") {
			t.Errorf("publishing to %s again = %d %s, want no warning", tt.tenant, again.status, again.body)
		}
	}
}

func TestAStrictInstallationNamesTheTenantThatWasMeant(t *testing.T) {
	for key, want := range map[string]string{adminKey: `The tenant acm does not exist; did you mean "acme"?`, tenantKey: "The tenant acm does not exist."} {
		var o outside
		h := o.handler()
		h.Made, h.Auth = true, asAdmin{httpapi.NewAdminKey(adminKey)}
		got := do(t, h, "POST", "/v1/tenants/acm/events", `{"type":"a","data":1}`, "Authorization", "Bearer "+key)
		if got.status != 404 || !strings.HasPrefix(got.Detail, want+" ") {
			t.Errorf("publishing to acm = %d %s, want %s", got.status, got.Detail, want)
		}
	}
}
