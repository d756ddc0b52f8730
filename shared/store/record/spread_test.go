package record

import (
	"slices"
	"strings"
	"testing"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/store/table/tabletest"
)

// A table that is spread is a table.
func TestASpreadTableIsATable(t *testing.T) {
	tabletest.Run(t, func(*testing.T) table.Table { return spread{&table.Memory{}} })
}

// TestKeysAreFoundAgainInTheirPlaces: no two keys have one place, and a place tells
// its key.
func TestKeysAreFoundAgainInTheirPlaces(t *testing.T) {
	places := map[table.Key]table.Key{}
	for index, kinds := range spreadings {
		clear(places)
		for kind, of := range kinds {
			for _, tenant := range []string{"a", "b", "!0123456789abcdefghijklmnopqrstuv"} {
				for _, rest := range []string{"a", "b", "b#0", "0", "b#0#1", "!x", "D", "a#b#c#d"} {
					k := at(kind, tenant, rest)
					if strings.Count(k.Sort, separator) < of.parts {
						continue
					}
					place := spread{}.place(index, k)
					if other, taken := places[place]; taken {
						t.Errorf("%v and %v share the place %v", k, other, place)
					}
					places[place] = k
					if got := (spread{}).key(index, place); got != k {
						t.Errorf("the key of %v = %v, want %v", place, got, k)
					}
				}
			}
		}
	}
}

// TestNearlyEveryPartitionNamesItsTenant: what one tenant reads and writes
// throttles no other, but for what docs/sharing.md names.
func TestNearlyEveryPartitionNamesItsTenant(t *testing.T) {
	for index, kinds := range spreadings {
		for kind := range kinds {
			place := spread{}.place(index, at(kind, "greedy", "a#b#c#d"))
			if !strings.Contains(place.Partition, separator+"greedy") || place.Sort == "" {
				t.Errorf("a record %q of index %d is at %v, in a partition that does not name its tenant", kind, index, place)
			}
		}
	}
	if place := (spread{}).place(0, tenantKey("greedy")); strings.Contains(place.Partition, "greedy") {
		t.Errorf("the list of tenants is in the partition %q", place.Partition)
	}
}

// Shards are part of what is stored: a table written by one version of this
// code is read by the next.
func TestShardsNeverMove(t *testing.T) {
	for rest, want := range map[string]string{
		"sub_1": "5", "loyalty-points": "3", "dlv_0123456789abcdefghijklmnopqrstuv": "2", "1764000000000#e": "1",
	} {
		if got := (spreading{shards: 8}).shard(rest); got != want {
			t.Errorf("shard of %q = %s, want %s", rest, got, want)
		}
	}
	of := spreadings[0][stateKind]
	if one, other := of.shard("0#k#a"), of.shard("0#k#b"); one != other {
		t.Errorf("two parts of one key are in the shards %s and %s", one, other)
	}
}

// A range is in the order of keys, whichever shards they are in, both ways and with
// any limit.
func TestARangeThatIsSpreadIsInOrder(t *testing.T) {
	items := spread{&table.Memory{}}
	var all []string
	for i := range 100 {
		k := at(headKind, "acme", table.Ordinal(int64(i*i)))
		all = append(all, k.Sort)
		_, _, err := items.Put(t.Context(), table.Item{Key: k}, table.How{})
		must(t, err)
		_, _, err = items.Put(t.Context(), table.Item{Key: at(headKind, "acme-", k.Sort)}, table.How{})
		must(t, err)
	}
	for _, desc := range []bool{false, true} {
		for _, limit := range []int{1, 2, 7, 99, 100, 101} {
			r := ofTenant(headKind, "acme")
			r.Desc = desc
			page, err := items.Page(t.Context(), r, limit)
			must(t, err)
			var got []string
			for _, it := range page {
				got = append(got, it.Sort)
			}
			want := slices.Clone(all)
			if desc {
				slices.Reverse(want)
			}
			if want = want[:min(limit, len(want))]; !slices.Equal(got, want) {
				t.Errorf("descending %v, at most %d: got %v, want %v", desc, limit, got, want)
			}
		}
	}
	if _, err := items.Page(t.Context(), table.Range{Partition: headKind, From: "a", To: "b"}, 1); err == nil {
		t.Error("a range of several tenants has an order")
	}
	if n, err := purge(t.Context(), items, 1000, ofTenant(headKind, "acme")); n != 100 || err != nil {
		t.Errorf("purge removed %d, %v, want 100", n, err)
	}
}
