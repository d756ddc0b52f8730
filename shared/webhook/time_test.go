package webhook_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

func TestTimesSortAsText(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var shown []string
	for _, tt := range []struct {
		at   time.Time
		want string
	}{
		{noon, "2026-03-01T12:00:00.000Z"},
		{noon.Add(20 * time.Millisecond), "2026-03-01T12:00:00.020Z"},
		{noon.Add(120 * time.Millisecond), "2026-03-01T12:00:00.120Z"},
		{noon.Add(120*time.Millisecond + 999*time.Microsecond), "2026-03-01T12:00:00.120Z"},
		{noon.Add(time.Second).In(time.FixedZone("", 3600)), "2026-03-01T12:00:01.000Z"},
	} {
		got := webhook.FormatTime(tt.at)
		asJSON, err := json.Marshal(webhook.Time(tt.at))
		if got != tt.want || err != nil || string(asJSON) != `"`+got+`"` {
			t.Errorf("%v is shown as %s, and in JSON as %s, %v, want %s", tt.at, got, asJSON, err, tt.want)
		}
		shown = append(shown, got)
	}
	if !slices.IsSorted(shown) {
		t.Errorf("times in order are shown as %v, which is not", shown)
	}
	if null, err := json.Marshal(webhook.Time{}); string(null) != "null" || err != nil {
		t.Errorf("the zero time is %s, %v, want null", null, err)
	}
}
