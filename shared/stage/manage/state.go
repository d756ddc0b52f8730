package manage

import (
	"fmt"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/webhook"
)

var errNoState = httpapi.StateNotFound.Problem("The trigger has no state for this key.")

// getState shows what a subscription's trigger knows of one key.
func (h *Handler) getState(r *httpapi.Request) (httpapi.Response, error) {
	key, err := h.stateKey(r)
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

// deleteState forgets one key: its counts, its claims, and what waits for its
// delay.
func (h *Handler) deleteState(r *httpapi.Request) (httpapi.Response, error) {
	key, err := h.stateKey(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	if err := trigger.Erase(r.Context(), h.Store, key); err != nil {
		return httpapi.Response{}, fmt.Errorf("erase trigger state: %w", err)
	}
	return httpapi.NoContent(), nil
}

// stateKey names the state of the path's key under the path's subscription.
func (h *Handler) stateKey(r *httpapi.Request) (webhook.StateRef, error) {
	s, err := h.current(r.Context(), ref(r))
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
