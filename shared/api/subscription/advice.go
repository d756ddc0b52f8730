package subscription

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/language/attribute"
	"github.com/postino/postino/shared/language/suggest"
	"github.com/postino/postino/shared/webhook"
)

// Advice lists the types of a subscription that lead to none of the registered
// event types: mistyped, more often than not. Events of types that nobody
// registered are accepted too, so it is no fault; and where nothing is
// registered, there is nothing to say.
func Advice(s webhook.Subscription, registered []string) (warnings []httpapi.FieldError) {
	if len(registered) == 0 {
		return nil
	}
	for i, t := range s.Types {
		if strings.HasPrefix(t, attribute.OwnTypes) || slices.ContainsFunc(registered, func(r string) bool { return leads(t, r) }) {
			continue
		}
		warnings = append(warnings, httpapi.FieldError{
			Field: fmt.Sprintf("types[%d]", i), Detail: fmt.Sprintf("no registered event type is %q%s", t, suggest.Hint(t, registered)),
		})
	}
	return warnings
}

func leads(pattern, typ string) bool {
	head, open := strings.CutSuffix(pattern, "*")
	return pattern == typ || open && strings.HasPrefix(typ, head)
}

// covered are the statuses of permanent that success covers: they end a
// delivery well, and so never badly.
func covered(s webhook.Subscription, faults *httpapi.Faults) {
	for i, code := range s.Retry.Permanent {
		if slices.Contains(s.Retry.Success, code) || len(code) == 3 && slices.Contains(s.Retry.Success, code[:1]+"xx") {
			faults.Add(fmt.Sprintf("retry.permanent[%d]", i), "%s is a success too, by retry.success: it cannot be both", code)
		}
	}
}
