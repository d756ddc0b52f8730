package manage

import (
	"errors"
	"fmt"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/webhook"
)

// refusal makes a problem of what the tenant's quota does not allow, and leaves
// other errors.
func (h *Handler) refusal(err error) error {
	switch {
	case errors.Is(err, webhook.ErrTooMany):
		return httpapi.SubscriptionsFull.Problem(fmt.Sprintf("The tenant has the maximum number of subscriptions: %d. Delete one first.", h.Quota.Subscriptions))
	case errors.Is(err, webhook.ErrTooHeavy):
		return httpapi.FiltersFull.Problem(
			fmt.Sprintf("The tenant's filters would take more than %d bytes of memory together.", h.Quota.Filters),
			httpapi.FieldError{Field: "filter", Detail: "use fewer values, or prefixes instead of many values, here or in the tenant's other filters"})
	}
	return err
}
