package webhook_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

var accepted = time.Date(2026, 3, 1, 12, 0, 0, 123e6, time.UTC)

func TestDeliveryIDIsAPureFunctionOfItsParts(t *testing.T) {
	key := webhook.EventKey("/tenants/acme", "evt_1")
	base := webhook.DeliveryID("acme", key, accepted, "sub_1", "")
	if want := "dlv_" + strings.Repeat("x", 32); len(base) != len(want) {
		t.Fatalf("id %s has %d characters, want %d", base, len(base), len(want))
	}
	if again := webhook.DeliveryID("acme", key, accepted, "sub_1", ""); again != base {
		t.Errorf("second id = %s, want %s", again, base)
	}
	seen := map[string]string{base: "itself"}
	for name, id := range map[string]string{
		"tenant":       webhook.DeliveryID("acme2", key, accepted, "sub_1", ""),
		"event":        webhook.DeliveryID("acme", webhook.EventKey("/x", "evt_1"), accepted, "sub_1", ""),
		"subscription": webhook.DeliveryID("acme", key, accepted, "sub_2", ""),
		"occasion":     webhook.DeliveryID("acme", key, accepted, "sub_1", "2"),
		"acceptance":   webhook.DeliveryID("acme", key, accepted.Add(time.Millisecond), "sub_1", ""),
	} {
		if other, taken := seen[id]; taken {
			t.Errorf("another %s gives the id of %s", name, other)
		}
		seen[id] = name
	}
}

func TestDeliveryIDsSortByAcceptance(t *testing.T) {
	last := ""
	for i := range 200 {
		at := accepted.Add(time.Duration(i*i) * time.Millisecond)
		id := webhook.DeliveryID("acme", webhook.EventKey("/", fmt.Sprint(i)), at, "sub_1", "")
		if id <= last {
			t.Fatalf("id %d = %s, not above %s", i, id, last)
		}
		if bound := webhook.DeliveryIDBound(at); bound > id || bound <= last {
			t.Fatalf("bound of %s = %s, want in (%s, %s]", at, bound, last, id)
		}
		last = id
	}
}

func TestParseDeliveryIDGivesItsParts(t *testing.T) {
	id := webhook.DeliveryID("acme", webhook.EventKey("/", "e"), accepted, "sub_1", "")
	at, tag, err := webhook.ParseDeliveryID(id)
	if err != nil || !at.Equal(accepted) || tag != webhook.DeliveryTag("acme", "sub_1") {
		t.Errorf("ParseDeliveryID = %v, %s, %v, want %v, %s", at, tag, err, accepted, webhook.DeliveryTag("acme", "sub_1"))
	}
	for _, bad := range []string{"", "dlv_", "dlv_x", id + "0", strings.ToUpper(id), "evt_" + id[4:], id[:35] + "z", id[:35] + "\n"} {
		if _, _, err := webhook.ParseDeliveryID(bad); err == nil {
			t.Errorf("ParseDeliveryID(%q) took it", bad)
		}
	}
}

func TestHashedPartsDoNotRunTogether(t *testing.T) {
	if webhook.EventKey("a", "bc") == webhook.EventKey("ab", "c") {
		t.Error("(a, bc) and (ab, c) have one key")
	}
	if webhook.RepeatableID("a", "k", 1, "c") == webhook.RepeatableID("a", "k1", 0, "c") {
		t.Error("(k, 1) and (k1, 0) have one id")
	}
}

func FuzzParseDeliveryID(f *testing.F) {
	f.Add(webhook.DeliveryID("acme", "k", accepted, "s", ""))
	f.Add("dlv_")
	f.Fuzz(func(t *testing.T, id string) {
		at, tag, err := webhook.ParseDeliveryID(id)
		if err == nil && (at.UnixMilli() < 0 || len(tag) != 10) {
			t.Errorf("ParseDeliveryID(%q) = %v, %q", id, at, tag)
		}
	})
}
