package manage

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"

	"github.com/postino/postino/shared/httpapi"
	"github.com/postino/postino/shared/render"
	"github.com/postino/postino/shared/strictjson"
	"github.com/postino/postino/shared/subscription"
	"github.com/postino/postino/shared/webhook"
)

// maxSecret is the most bytes of a secret's value: what a header may have.
const maxSecret = 4 << 10

// namedSecretView is all that is ever shown of a secret.
type namedSecretView struct {
	Name      string       `json:"name"`
	UpdatedAt httpapi.Time `json:"updated_at"`
}

func viewNamedSecret(s webhook.NamedSecret) namedSecretView {
	return namedSecretView{s.Name, httpapi.Time(s.UpdatedAt)}
}

var errNoSecret = httpapi.SecretNotFound.Problem("There is no such secret.")

// putSecret stores a secret's value, sealed. Subscriptions that mention it send
// the new one from the next attempt on.
func (h *Handler) putSecret(r *httpapi.Request) (httpapi.Response, error) {
	if err := r.RefuseReserved(); err != nil {
		return httpapi.Response{}, err
	}
	name := r.PathValue("name")
	body, err := r.JSON()
	if err != nil {
		return httpapi.Response{}, err
	}
	value, err := secretValue(name, body)
	if err != nil {
		return httpapi.Response{}, err
	}
	sealed, err := h.Secrets.Seal([]byte(value), r.Tenant, "secrets", name)
	if err != nil {
		return httpapi.Response{}, fmt.Errorf("seal a secret: %w", err)
	}
	if err := h.Store.EnsureTenant(r.Context(), r.Tenant); err != nil {
		return httpapi.Response{}, err
	}
	s := webhook.NamedSecret{Tenant: r.Tenant, Name: name, Sealed: sealed, UpdatedAt: h.now()}
	created, err := h.Store.PutSecret(r.Context(), s)
	if err != nil {
		return httpapi.Response{}, fmt.Errorf("store a secret: %w", err)
	}
	if created {
		location := "/v1/tenants/" + r.Tenant + "/secrets/" + name
		return httpapi.Response{Status: http.StatusCreated, Header: http.Header{"Location": {location}}, Body: viewNamedSecret(s)}, nil
	}
	return httpapi.OK(viewNamedSecret(s)), nil
}

// secretValue reads {"value"}. What is wrong with it is said without repeating
// any of it.
func secretValue(name string, body strictjson.Value) (value string, err error) {
	var faults httpapi.Faults
	if !subscription.ValidID(name) {
		faults.Add("name", subscription.IDSyntax)
	}
	if body.Kind() != strictjson.Object {
		faults.Add("body", "want an object")
	}
	given := false
	for field, v := range body.Members() {
		text, ok := v.Text()
		switch {
		case field != "value":
			faults.Unknown("", field, []string{"value"})
			continue
		case !ok:
			faults.Add(field, "want a string")
		case text == "" || len(text) > maxSecret || strings.ContainsFunc(text, unicode.IsControl):
			faults.Add(field, "want 1 to %d bytes, no control characters", maxSecret)
		case strings.Contains(text, render.Stars):
			faults.Add(field, "*** stands for a secret that is not shown: give the secret itself")
		}
		value, given = text, true
	}
	if !given && body.Kind() == strictjson.Object {
		faults.Add("value", "required")
	}
	return value, faults.Err()
}

func (h *Handler) listSecrets(r *httpapi.Request) (httpapi.Response, error) {
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

func (h *Handler) getSecretName(r *httpapi.Request) (httpapi.Response, error) {
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

// deleteSecret removes a secret. Deliveries that still mention it are canceled
// at their next attempt, as missing_secret.
func (h *Handler) deleteSecret(r *httpapi.Request) (httpapi.Response, error) {
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
