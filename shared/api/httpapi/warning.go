package httpapi

import (
	"context"
	"log/slog"

	"github.com/postino/postino/shared/language/suggest"
	"github.com/postino/postino/shared/webhook"
)

// Warn adds to the warnings of the answer, if that is no problem: to what was
// taken, and is more often mistyped than meant.
func (r *Request) Warn(warnings ...FieldError) { r.warned = append(r.warned, warnings...) }

// warning adds the warnings to an answer, whose body is an object.
func (r *Request) warning(response Response) Response {
	if len(r.warned) == 0 || response.Body == nil {
		return response
	}
	body := Encode(response.Body)
	separator := ","
	if len(body) == len("{}") {
		separator = ""
	}
	body = append(append(body[:len(body)-1], separator+`"warnings":`...), Encode(r.warned)...)
	response.Body = Encoded(append(body, '}'))
	return response
}

// TenantNames lists tenants by name.
type TenantNames interface {
	PageTenants(ctx context.Context, page webhook.Page) (tenants []string, next string, err error)
}

// WarnOfNewTenant says that the request made its tenant, and which one was
// perhaps meant.
func (r *Request) WarnOfNewTenant(names TenantNames, log *slog.Logger) {
	r.Warn(FieldError{Field: "tenant", Detail: "there was no tenant " + r.Tenant + ": this request made it" + r.meant(names, log)})
}

// NoSuchTenant is the problem with a tenant that nobody made, where only those
// are taken that were.
func (r *Request) NoSuchTenant(names TenantNames, log *slog.Logger) *Problem {
	return TenantNotMade.Problem("The tenant " + r.Tenant + " does not exist" + r.meant(names, log) + " This installation does not create tenants on first use. Check the path for a typing error, or create the tenant with the admin key: PUT /v1/tenants/" + r.Tenant + ".")
}

// maxNames is how many tenants are looked through for one that was meant.
const maxNames = 1000

// meant is the end of a message about a tenant that may be mistyped. Names of
// tenants are for the admin key only. Not to know one is no reason to refuse
// anything.
func (r *Request) meant(names TenantNames, log *slog.Logger) string {
	if r.Principal.Role != Admin {
		return "."
	}
	known, _, err := names.PageTenants(r.Context(), webhook.Page{Limit: maxNames})
	if err != nil {
		log.Warn("read tenants for a hint", "tenant", r.Tenant, "error", err)
		return "."
	}
	if hint := suggest.Hint(r.Tenant, known); hint != "" {
		return hint
	}
	return "."
}
