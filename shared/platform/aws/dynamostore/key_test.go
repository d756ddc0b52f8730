package dynamostore

import (
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

func FuzzNamesInKeysAreThemselvesOrHashes(f *testing.F) {
	for _, seed := range []string{"", "acme", "a-b_c", "a#b", "A", "é", "!", strings.Repeat("a", 64), strings.Repeat("a", 65)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := name(s)
		switch hash, hashed := strings.CutPrefix(got, "!"); {
		case !hashed && got != s:
			t.Errorf("name(%q) = %q", s, got)
		case !hashed && (s == "" || len(s) > 64 || strings.ContainsAny(s, "#~!/ABC")):
			t.Errorf("name(%q) is itself", s)
		case hashed && (len(hash) != 32 || strings.Trim(hash, "0123456789abcdefghijklmnopqrstuv") != ""):
			t.Errorf("name(%q) = %q, not a hash", s, got)
		}
	})
}

func TestKeysOfDifferentThingsDiffer(t *testing.T) {
	when := time.UnixMilli(1_764_000_000_000)
	seen := map[key]string{}
	for _, tenant := range []string{"a", "b", "a#b", "a#b#0", "V", ""} {
		for _, id := range []string{"a", "b", "b#0", "0", ""} {
			d := webhook.DeliveryID(tenant, webhook.EventKey(id, id), when, id, "")
			delivery, _ := deliveryKey(tenant, d)
			for what, k := range map[string]key{
				"event": eventItemKey(tenant, webhook.EventKey(id, "")), "page": planPageKey(tenant, webhook.EventKey(id, ""), id, 0),
				"next page": planPageKey(tenant, webhook.EventKey(id, ""), id, 1),
				"delivery":  delivery, "content": delivery.content(), "attempt": delivery.attempt(1),
			} {
				what += " of " + tenant + " / " + id
				if other, taken := seen[k]; taken {
					t.Errorf("%s and %s share the key %v", what, other, k)
				}
				seen[k] = what
			}
		}
	}
}

// Shards are part of what is stored: a table written by one version of this
// code is read by the next.
func TestShardsNeverMove(t *testing.T) {
	for sk, want := range map[string]string{
		"sub_1": "5", "loyalty-points": "3", "dlv_0123456789abcdefghijklmnopqrstuv": "2", "1764000000000#e": "1",
	} {
		if got := shard(sk, 8); got != want {
			t.Errorf("shard(%q, 8) = %s, want %s", sk, got, want)
		}
	}
}

func FuzzPositionsAreTakenApartOrRefused(f *testing.F) {
	l := listNamed("deliveries", "acme")
	f.Add(l.position("1764000000000#" + webhook.EventKey("s", "e") + "#0#"))
	f.Add(l.position("1764000000000#" + webhook.EventKey("s", "e") + "#12#" + webhook.DeliveryID("a", "e", time.Unix(1764000000, 0), "s", "")))
	f.Add("x")
	f.Fuzz(func(t *testing.T, position string) {
		end, err := l.end(position, func(end string) bool { _, ok := parseStop(end); return ok })
		if err != nil || end == "" {
			return
		}
		if stop, ok := parseStop(end); !ok || len(stop.event) > 13+1+maxName || !isEventSK(stop.event) {
			t.Errorf("%q is the position %+v", position, stop)
		}
	})
}

// TestNearlyEveryPartitionNamesItsTenant: what one tenant reads and writes
// throttles no other, but for what docs/sharing.md names.
func TestNearlyEveryPartitionNamesItsTenant(t *testing.T) {
	const tenant = "greedy"
	id := webhook.DeliveryID(tenant, webhook.EventKey("x", "y"), time.UnixMilli(1_764_000_000_000), "s", "")
	delivery, _ := deliveryKey(tenant, id)
	for what, tt := range map[string]struct {
		key
		own bool
	}{
		"event": {eventItemKey(tenant, "e"), true}, "page of a plan": {planPageKey(tenant, "e", "n", 0), true},
		"replay": {replayKey(tenant, "e", "r"), true}, "delivery": {delivery, true}, "content": {delivery.content(), true},
		"attempt": {delivery.attempt(1), true}, "payload": {payloadKey(tenant, "e", "n"), true},
		"list of events": {key{eventsPK(tenant, "0"), "x"}, true}, "open deliveries": {key{openPK(tenant, webhook.Pending, "0"), "x"}, true},
		"occasions": {key{occasionsPK(tenant, "0"), "x"}, true}, "open deliveries of a subscription": {key{openOfPK(tenant, "t", webhook.Pending, "0"), "x"}, true},
		"sealing key": {wrappedKeyKey(), false},
	} {
		if got := strings.Contains(tt.pk, "#"+tenant); got != tt.own {
			t.Errorf("%s is in the partition %q, which names the tenant: %v, want %v", what, tt.pk, got, tt.own)
		}
	}
}
