package manage

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// Paths of the routes of secrets.
const (
	secretsPath = tenantPath + "/secrets"
	secretPath  = secretsPath + "/{name}"
)

// secrets serves named secrets.
type secrets struct {
	*Handler
	Store Secrets
}

func (h *secrets) routes() []httpapi.Route {
	return []httpapi.Route{
		{Method: get, Pattern: secretsPath, Roles: manage, Query: httpapi.PageQuery, Handle: h.list},
		{Method: put, Pattern: secretPath, Roles: manage, Handle: h.put},
		{Method: get, Pattern: secretPath, Roles: manage, Handle: h.get},
		{Method: del, Pattern: secretPath, Roles: manage, Handle: h.delete},
	}
}

// Secrets keeps named secrets, sealed.
type Secrets interface {
	// PutSecret stores a secret under its name, and returns it with whether
	// there was none. If keep, one that was there keeps its Portal.
	PutSecret(ctx context.Context, secret webhook.NamedSecret, keep bool) (stored webhook.NamedSecret, created bool, err error)
	// Secrets: see delivery's NamedSecrets.
	Secrets(ctx context.Context, tenant string, names []string) (map[string]webhook.NamedSecret, error)
	// PageSecrets lists secrets by name, without their values.
	PageSecrets(ctx context.Context, tenant string, page webhook.Page) (secrets []webhook.NamedSecret, next string, err error)
	// DeleteSecret removes a secret, or returns [webhook.ErrNotFound].
	DeleteSecret(ctx context.Context, tenant, name string) error
}

// maxSecret is the most bytes of a secret's value: what a header may have.
const maxSecret = 4 << 10

// namedSecretView is all that is ever shown of a secret.
type namedSecretView struct {
	Name      string       `json:"name"`
	Portal    bool         `json:"portal"` // portal keys may name it
	UpdatedAt httpapi.Time `json:"updated_at"`
}

func viewNamedSecret(s webhook.NamedSecret) namedSecretView {
	return namedSecretView{s.Name, s.Portal, httpapi.Time(s.UpdatedAt)}
}

var errNoSecret = httpapi.SecretNotFound.Problem("The secret does not exist. PUT /secrets/{name} creates it.")

// put stores a secret's value, sealed. Subscriptions that mention it send
// the new one from the next attempt on.
func (h *secrets) put(r *httpapi.Request) (httpapi.Response, error) {
	if err := r.RefuseReserved(); err != nil {
		return httpapi.Response{}, err
	}
	name := r.PathValue("name")
	body, err := r.JSON()
	if err != nil {
		return httpapi.Response{}, err
	}
	wish, err := readNamedSecret(name, body)
	if err != nil {
		return httpapi.Response{}, err
	}
	sealed, err := h.Secrets.Seal([]byte(wish.value), r.Tenant, "secrets", name)
	if err != nil {
		return httpapi.Response{}, fmt.Errorf("seal a secret: %w", err)
	}
	if err := h.ensureTenant(r); err != nil {
		return httpapi.Response{}, err
	}
	s := webhook.NamedSecret{Tenant: r.Tenant, Name: name, Sealed: sealed, Portal: wish.portal, UpdatedAt: h.now()}
	s, created, err := h.Store.PutSecret(r.Context(), s, !wish.saysPortal)
	if err != nil {
		return httpapi.Response{}, fmt.Errorf("store a secret: %w", err)
	}
	if created {
		location := "/v1/tenants/" + r.Tenant + "/secrets/" + name
		return httpapi.Response{Status: http.StatusCreated, Header: http.Header{"Location": {location}}, Body: viewNamedSecret(s)}, nil
	}
	return httpapi.OK(viewNamedSecret(s)), nil
}

// namedSecretWish is what a request says of a secret.
type namedSecretWish struct {
	value              string
	portal, saysPortal bool
	saysValue          bool
}

// readNamedSecret reads {"value",["portal"]}. What is wrong with it is said
// without repeating any of the value.
func readNamedSecret(name string, body strictjson.Value) (wish namedSecretWish, err error) {
	var faults httpapi.Faults
	if !subscription.ValidID(name) {
		faults.Add("name", subscription.IDSyntax)
	}
	if body.Kind() != strictjson.Object {
		faults.Add("body", "want an object")
	}
	for field, v := range body.Members() {
		switch field {
		case "value":
			wish.value, wish.saysValue = secretValue(v, &faults), true
		case "portal":
			if wish.portal, wish.saysPortal = string(v) == "true", true; v.Kind() != strictjson.Bool {
				faults.Add(field, "want true or false")
			}
		default:
			faults.Unknown("", field, []string{"value", "portal"})
		}
	}
	if !wish.saysValue && body.Kind() == strictjson.Object {
		faults.Add("value", "required")
	}
	return wish, faults.Err()
}

func secretValue(v strictjson.Value, faults *httpapi.Faults) string {
	text, ok := v.Text()
	switch {
	case !ok:
		faults.Add("value", "want a string")
	case text == "" || len(text) > maxSecret || strings.ContainsFunc(text, unicode.IsControl):
		faults.Add("value", "want 1 to %d bytes, no control characters", maxSecret)
	case strings.Contains(text, render.Stars):
		faults.Add("value", "*** stands for a secret that is not shown: give the secret itself")
	}
	return text
}

func (h *secrets) list(r *httpapi.Request) (httpapi.Response, error) {
	listing, err := r.Listing()
	if err != nil {
		return httpapi.Response{}, err
	}
	secrets, next, err := h.Store.PageSecrets(r.Context(), r.Tenant, listing.Page)
	if err != nil {
		return httpapi.Response{}, listing.Refuse(err)
	}
	views := make([]namedSecretView, len(secrets))
	for i, s := range secrets {
		views[i] = viewNamedSecret(s)
	}
	return httpapi.OK(listing.Next(views, next)), nil
}

func (h *secrets) get(r *httpapi.Request) (httpapi.Response, error) {
	name := r.PathValue("name")
	if !subscription.ValidID(name) {
		return httpapi.Response{}, errNoSecret
	}
	found, err := h.Store.Secrets(r.Context(), r.Tenant, []string{name})
	if err != nil {
		return httpapi.Response{}, fmt.Errorf("read a secret: %w", err)
	}
	s, ok := found[name]
	if !ok {
		return httpapi.Response{}, errNoSecret
	}
	return httpapi.OK(viewNamedSecret(s)), nil
}

// delete removes a secret. Deliveries that still mention it are canceled
// at their next attempt, as missing_secret.
func (h *secrets) delete(r *httpapi.Request) (httpapi.Response, error) {
	name := r.PathValue("name")
	if !subscription.ValidID(name) {
		return httpapi.Response{}, errNoSecret
	}
	err := h.Store.DeleteSecret(r.Context(), r.Tenant, name)
	if errors.Is(err, webhook.ErrNotFound) {
		return httpapi.Response{}, errNoSecret
	}
	return httpapi.NoContent(), err
}
