package manage

import (
	"fmt"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/webhook"
)

const statePath = subscriptionPath + "/state/{key}"

// states serves what triggers know of their keys.
type states struct {
	*Handler
	Store    trigger.Store
	versions *versions
}

func (h *states) routes() []httpapi.Route {
	return []httpapi.Route{
		{Method: get, Pattern: statePath, Roles: manage, Handle: h.get},
		{Method: del, Pattern: statePath, Roles: manage, Handle: h.delete},
	}
}

var errNoState = httpapi.StateNotFound.Problem("The trigger has no state for this key.")

// get shows what a subscription's trigger knows of one key.
func (h *states) get(r *httpapi.Request) (httpapi.Response, error) {
	key, err := h.ref(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	view, found, err := trigger.ReadView(r.Context(), h.Store, key)
	if err != nil {
		return httpapi.Response{}, fmt.Errorf("read trigger state: %w", err)
	}
	if !found {
		return httpapi.Response{}, errNoState
	}
	return httpapi.OK(view), nil
}

// delete forgets one key: its counts, its claims, and what waits for its
// delay.
func (h *states) delete(r *httpapi.Request) (httpapi.Response, error) {
	key, err := h.ref(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	if err := trigger.Erase(r.Context(), h.Store, key); err != nil {
		return httpapi.Response{}, fmt.Errorf("erase trigger state: %w", err)
	}
	return httpapi.NoContent(), nil
}

// ref names the state of the path's key under the path's subscription.
func (h *states) ref(r *httpapi.Request) (webhook.StateRef, error) {
	s, err := h.versions.current(r.Context(), ref(r))
	if err != nil {
		return webhook.StateRef{}, err
	}
	spec, err := trigger.Compile(s)
	if err != nil {
		return webhook.StateRef{}, err
	}
	if spec == nil {
		return webhook.StateRef{}, errNoState
	}
	key, err := spec.KeyRef(s, r.PathValue("key"))
	if err != nil {
		return key, httpapi.Invalid(httpapi.FieldError{Field: "key", Detail: err.Error()})
	}
	return key, nil
}
