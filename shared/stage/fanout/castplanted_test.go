package fanout_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/store/storetest"
	"github.com/postino/postino/shared/webhook"
)

// apart is a store that saves profiles before the event that changes them, by calls of
// their own.
type apart struct{ storetest.Store }

func (s apart) CreateEvent(ctx context.Context, e webhook.StoredEvent, profiles ...webhook.Profile) (webhook.StoredEvent, bool, error) {
	for _, p := range profiles {
		if err := s.SaveProfile(ctx, p); err != nil {
			return webhook.StoredEvent{}, false, err
		}
	}
	return s.Store.CreateEvent(ctx, e)
}

// overwritten is a store that saves a profile whoever has changed it meanwhile.
type overwritten struct{ storetest.Store }

func (s overwritten) CreateEvent(ctx context.Context, e webhook.StoredEvent, profiles ...webhook.Profile) (webhook.StoredEvent, bool, error) {
	for i, p := range profiles {
		now, err := s.Store.Profiles(ctx, p.Tenant, []string{p.Subject})
		if err != nil {
			return webhook.StoredEvent{}, false, err
		}
		profiles[i].Revision = now[p.Subject].Revision + 1
	}
	return s.Store.CreateEvent(ctx, e, profiles...)
}

// newest is a store that takes what arrived last for what happened last.
type newest struct{ storetest.Store }

func (s newest) CreateEvent(ctx context.Context, e webhook.StoredEvent, profiles ...webhook.Profile) (webhook.StoredEvent, bool, error) {
	for i, p := range profiles {
		var kept map[string]map[string]any
		if e.Type != "study" || json.Unmarshal(p.Computed, &kept) != nil || kept["mode"] == nil {
			continue
		}
		kept["mode"]["v"] = detailsOf(e.Event).Mode
		profiles[i].Computed, _ = json.Marshal(kept)
	}
	return s.Store.CreateEvent(ctx, e, profiles...)
}

// yesterday is a store that shows to wake-ups the profiles that it showed first.
type yesterday struct {
	storetest.Store
	first map[string]map[string]webhook.Profile
}

func (s yesterday) Profiles(ctx context.Context, tenant string, subjects []string) (map[string]webhook.Profile, error) {
	found, err := s.Store.Profiles(ctx, tenant, subjects)
	name := fmt.Sprint(subjects)
	by, _ := ctx.Value(handlingKey{}).(*handling)
	if by == nil || err != nil {
		return found, err
	}
	if _, err := message.DecodeAs[message.Fire](by.body); err == nil && s.first[name] != nil {
		return s.first[name], nil
	}
	if s.first[name] == nil {
		s.first[name] = found
	}
	return found, nil
}

// jostling is a store in which the last writer of a shared cap wins.
type jostling struct{ storetest.Store }

func (s jostling) SaveTriggerState(ctx context.Context, items []webhook.StateItem) error {
	for i, item := range items {
		if item.Part != "SHARED" {
			continue
		}
		now, err := s.Store.TriggerState(ctx, []webhook.StateRef{item.StateRef})
		if err != nil {
			return err
		}
		items[i].Rev = now[0].Rev
	}
	return s.Store.SaveTriggerState(ctx, items)
}

// claimedFirst is a store that saves the claims of shared caps before the marks of
// those who claim them, which it has to be asked again for now and then.
type claimedFirst struct {
	storetest.Store
	saves *int
}

func (s claimedFirst) SaveTriggerState(ctx context.Context, items []webhook.StateItem) error {
	var shared, rest []webhook.StateItem
	for _, item := range items {
		if item.Part == "SHARED" {
			shared = append(shared, item)
			continue
		}
		rest = append(rest, item)
	}
	if len(shared) > 0 {
		if err := s.Store.SaveTriggerState(ctx, shared); err != nil {
			return err
		}
		if *s.saves++; *s.saves%5 == 0 {
			return webhook.ErrBusy
		}
	}
	return s.Store.SaveTriggerState(ctx, rest)
}

// marked is a store that changes each mark that is saved.
type marked struct {
	storetest.Store
	change func(mark map[string]any) (drop string) // the part that is not saved with it; "" for none
}

func (s marked) SaveTriggerState(ctx context.Context, items []webhook.StateItem) error {
	drop := ""
	for i, item := range items {
		var mark map[string]any
		if !strings.HasPrefix(item.Part, "M#") || json.Unmarshal(item.Data, &mark) != nil {
			continue
		}
		if part := s.change(mark); part != "" {
			drop = part
		}
		items[i].Data, _ = json.Marshal(mark)
	}
	var kept []webhook.StateItem
	for _, item := range items {
		if item.Part != drop {
			kept = append(kept, item)
		}
	}
	return s.Store.SaveTriggerState(ctx, kept)
}

// heldOutIsFree says that who is held out uses nothing up.
func heldOutIsFree(mark map[string]any) string {
	if mark["o"] == "holdout" {
		return "SHARED"
	}
	return ""
}

// heldOutOnce has a repeat forget that somebody is held out.
func heldOutOnce(mark map[string]any) string {
	if mark["o"] == "holdout" {
		mark["o"] = "sent"
	}
	return ""
}

// never has what waits for quiet hours wait for something else.
func never(mark map[string]any) string {
	delete(mark, "w")
	return ""
}

// restless is a store of which every other reader hears nothing of quiet hours.
type restless struct {
	storetest.Store
	reads *int
}

func (s restless) Campaigns(ctx context.Context, tenant string, limit int) ([]webhook.Campaign, []webhook.Cap, error) {
	campaigns, caps, err := s.Store.Campaigns(ctx, tenant, limit)
	if *s.reads++; *s.reads%2 == 0 {
		return campaigns, caps, err
	}
	campaigns = append([]webhook.Campaign{}, campaigns...)
	for i, c := range campaigns {
		spec := map[string]any{}
		if json.Unmarshal(c.Spec, &spec) != nil {
			return nil, nil, errors.New("no campaign")
		}
		delete(spec, "quiet")
		campaigns[i].Spec, _ = json.Marshal(spec)
	}
	return campaigns, caps, err
}

// today is a store that takes events of the past for events of today.
type today struct{ storetest.Store }

func (s today) CreateEvent(ctx context.Context, e webhook.StoredEvent, profiles ...webhook.Profile) (webhook.StoredEvent, bool, error) {
	stored, created, err := s.Store.CreateEvent(ctx, e, profiles...)
	stored.History = 0
	return stored, created, err
}

// renamed gives each event that a subscription makes an id of its own.
func renamed(h *history) {
	made := 0
	h.rename = func(m queue.Message) queue.Message {
		p, err := message.DecodeAs[message.Pack](m.Body)
		if err != nil || len(p.Events) == 0 || p.Events[0].Depth == 0 {
			return m
		}
		made++
		p.Events[0].ID = fmt.Sprint("made", made)
		m.Body = p.Encode()
		return m
	}
}

// fromTheStart has each event that follows from others begin a chain of its own.
func fromTheStart(h *history) {
	h.rename = func(m queue.Message) queue.Message {
		p, err := message.DecodeAs[message.Pack](m.Body)
		if err != nil || len(p.Events) == 0 || p.Events[0].Depth == 0 {
			return m
		}
		p.Events[0].Depth = 1
		m.Body = p.Encode()
		return m
	}
}

func TestTheSimulatorFindsPlantedBugsOfCampaigns(t *testing.T) {
	wrapped := func(wrap func(storetest.Store) storetest.Store) func(*history) {
		return func(h *history) { h.store = wrap(h.store) }
	}
	marks := func(change func(map[string]any) string) func(*history) {
		return wrapped(func(s storetest.Store) storetest.Store { return marked{s, change} })
	}
	for name, tt := range map[string]struct {
		plant func(*history)
		says  string // what is found; "" is nothing
	}{
		"attributes: profiles are saved before their event":   {wrapped(func(s storetest.Store) storetest.Store { return apart{s} }), "attributes"},
		"attributes: the last writer of a profile wins":       {wrapped(func(s storetest.Store) storetest.Store { return overwritten{s} }), "profile"},
		"attributes: what arrives last counts as the last":    {wrapped(func(s storetest.Store) storetest.Store { return newest{s} }), "attributes"},
		"profiles: a wake-up sees an old one":                 {wrapped(func(s storetest.Store) storetest.Store { return yesterday{s, map[string]map[string]webhook.Profile{}} }), `"profile"`},
		"caps: the last writer wins":                          {wrapped(func(s storetest.Store) storetest.Store { return jostling{s} }), `want "cap"`},
		"caps: claimed before it is decided":                  {wrapped(func(s storetest.Store) storetest.Store { return claimedFirst{s, new(int)} }), `outcome is "cap"`},
		"holdout: who is held out uses nothing up":            {marks(heldOutIsFree), `want "cap"`},
		"holdout: a repeat forgets it":                        {marks(heldOutOnce), "want"},
		"quiet: what waits is never woken":                    {marks(never), "never ended"},
		"quiet: one process knows nothing of it":              {wrapped(func(s storetest.Store) storetest.Store { return restless{s, new(int)} }), "want it to wait"},
		"history: a stored event of the past is one of today": {wrapped(func(s storetest.Store) storetest.Store { return today{s} }), "history"},
		"chains: each publication has an id of its own":       {renamed, "as was"},
		"chains: nobody counts how long they are":             {fromTheStart, "has depth"},
		"nothing, and nothing is reported":                    {func(*history) {}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			found := ""
			for seed := uint64(0); seed < 400 && found == ""; seed++ {
				synctest.Test(t, func(t *testing.T) {
					for _, fault := range playCast(t, seed, newMemory(), tt.plant) {
						if tt.says == "" || strings.Contains(fault, tt.says) {
							found = fault
						}
					}
				})
			}
			if t.Log(found); (found == "") != (tt.says == "") {
				t.Errorf("found %q, want what says %q", found, tt.says)
			}
		})
	}
}
