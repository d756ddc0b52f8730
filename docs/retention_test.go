package docs

import (
	"strings"
	"testing"

	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/webhook"
)

func TestSecurityTellsHowLongThingsAreKept(t *testing.T) {
	days := strings.TrimSuffix(retry.FormatDuration(webhook.DefaultRetention.All), "d") + " days"
	if text := pages(t)["docs/security.md"]; !strings.Contains(text, "events for "+days+", deliveries for "+days) {
		t.Errorf("docs/security.md does not say that events and deliveries are kept for %s", days)
	}
}
