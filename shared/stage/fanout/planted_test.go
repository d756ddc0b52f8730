package fanout_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/postino/postino/shared/store/storetest"
	"github.com/postino/postino/shared/webhook"
)

// bareAdd is a store with the bug that a trigger must not have: the counter is
// raised by a call of its own, before the mark that says for which event.
type bareAdd struct{ storetest.Store }

func (s bareAdd) SaveTriggerState(ctx context.Context, items []webhook.StateItem) error {
	var rest []webhook.StateItem
	for _, item := range items {
		if item.Part != "C" {
			rest = append(rest, item)
			continue
		}
		if err := s.add(ctx, item.StateRef); err != nil {
			return err
		}
	}
	return s.Store.SaveTriggerState(ctx, rest)
}

// add counts, whoever counts at the same time.
func (s bareAdd) add(ctx context.Context, ref webhook.StateRef) error {
	for {
		now, err := s.Store.TriggerState(ctx, []webhook.StateRef{ref})
		if err != nil {
			return err
		}
		var c struct {
			N int `json:"n"`
		}
		if now[0].Rev > 0 && json.Unmarshal(now[0].Data, &c) != nil {
			return errors.New("no counter")
		}
		c.N++
		now[0].Data, _ = json.Marshal(c)
		if err = s.Store.SaveTriggerState(ctx, now); !errors.Is(err, webhook.ErrConflict) {
			return err
		}
	}
}

// lostMark is a store that forgets marks: the second line of defence alone.
type lostMark struct{ storetest.Store }

func (s lostMark) SaveTriggerState(ctx context.Context, items []webhook.StateItem) error {
	var rest []webhook.StateItem
	for _, item := range items {
		if !strings.HasPrefix(item.Part, "M#") {
			rest = append(rest, item)
		}
	}
	return s.Store.SaveTriggerState(ctx, rest)
}

// lastWins is a store that saves whatever was there.
type lastWins struct{ storetest.Store }

func (s lastWins) SaveTriggerState(ctx context.Context, items []webhook.StateItem) error {
	for {
		for i := range items {
			now, err := s.Store.TriggerState(ctx, []webhook.StateRef{items[i].StateRef})
			if err != nil {
				return err
			}
			items[i].Rev = now[0].Rev
		}
		if err := s.Store.SaveTriggerState(ctx, items); !errors.Is(err, webhook.ErrConflict) {
			return err
		}
	}
}

// piecemeal is a store that saves one item after the other.
type piecemeal struct{ storetest.Store }

func (s piecemeal) SaveTriggerState(ctx context.Context, items []webhook.StateItem) error {
	for i := range items {
		if err := s.Store.SaveTriggerState(ctx, items[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

// countsFailures is a store that counts what could not be rendered.
type countsFailures struct{ storetest.Store }

func (s countsFailures) SaveTriggerState(ctx context.Context, items []webhook.StateItem) error {
	failed := slices.ContainsFunc(items, func(item webhook.StateItem) bool {
		return strings.HasPrefix(item.Part, "M#") && strings.Contains(string(item.Data), `"o":"missing_field"`)
	})
	for i, item := range items {
		var c map[string]any
		if failed && item.Part == "C" && json.Unmarshal(item.Data, &c) == nil {
			c["n"] = c["n"].(float64) + 1
			items[i].Data, _ = json.Marshal(c)
		}
	}
	return s.Store.SaveTriggerState(ctx, items)
}

// deafToTies is a store that forgets when what canceled was accepted, so that
// it stands before every start of its time.
type deafToTies struct{ storetest.Store }

func (s deafToTies) SaveTriggerState(ctx context.Context, items []webhook.StateItem) error {
	for i, item := range items {
		var timer map[string]any
		if item.Part != "TIMER" || json.Unmarshal(item.Data, &timer) != nil || timer["c"] == nil {
			continue
		}
		timer["c"].(map[string]any)["a"] = 0
		items[i].Data, _ = json.Marshal(timer)
	}
	return s.Store.SaveTriggerState(ctx, items)
}

func TestTheSimulatorFindsPlantedBugs(t *testing.T) {
	for name, plant := range map[string]func(storetest.Store) storetest.Store{
		"the counter is a bare ADD":        func(s storetest.Store) storetest.Store { return bareAdd{s} },
		"events leave no marks":            func(s storetest.Store) storetest.Store { return lostMark{s} },
		"the last writer wins":             func(s storetest.Store) storetest.Store { return lastWins{s} },
		"items are saved one by one":       func(s storetest.Store) storetest.Store { return piecemeal{s} },
		"what cannot be rendered counts":   func(s storetest.Store) storetest.Store { return countsFailures{s} },
		"cancels lose every tie":           func(s storetest.Store) storetest.Store { return deafToTies{s} },
		"nothing, and nothing is reported": nil,
	} {
		found := 0
		for seed := range uint64(few) {
			faults := play(t, seed, shapes, func() storetest.Store {
				if plant == nil {
					return newMemory()
				}
				return plant(newMemory())
			})
			if found += len(faults); found > 0 {
				t.Logf("%s: %s", name, faults[0])
				break
			}
		}
		if (found > 0) != (plant != nil) {
			t.Errorf("%s: %d faults found", name, found)
		}
	}
}
