package fanout_test

import (
	"context"

	"github.com/postino/postino/shared/webhook"
)

// known is what the maps know of people: profiles by subject, and what a tenant has
// defined. There is one tenant.
type known struct {
	definitions int64 // their version
	profiles    map[string]webhook.Profile
	rules       []webhook.AttributeRule
	campaigns   []webhook.Campaign
	caps        []webhook.Cap
}

// save stores profiles, all or none: each must be the revision after the stored one.
func (k *known) save(profiles []webhook.Profile) bool {
	for _, p := range profiles {
		if p.Revision != k.profiles[p.Subject].Revision+1 {
			return false
		}
	}
	for _, p := range profiles {
		k.profiles[p.Subject] = p
	}
	return true
}

func (m *memory) SaveProfile(_ context.Context, p webhook.Profile) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.save([]webhook.Profile{p}) {
		return webhook.ErrConflict
	}
	return nil
}

func (m *memory) Profiles(_ context.Context, _ string, subjects []string) (map[string]webhook.Profile, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[string]webhook.Profile{}
	for _, subject := range subjects {
		if p, ok := m.profiles[subject]; ok {
			found[subject] = p
		}
	}
	return found, nil
}

func (m *memory) AttributeRules(context.Context, string, int) ([]webhook.AttributeRule, error) {
	return m.rules, nil
}

func (m *memory) Segments(context.Context, string, int) ([]webhook.Segment, error) { return nil, nil }

func (m *memory) Campaigns(context.Context, string, int) ([]webhook.Campaign, []webhook.Cap, error) {
	return m.campaigns, m.caps, nil
}

func (m *memory) PutAttributeRule(_ context.Context, r webhook.AttributeRule) error {
	m.rules = append(m.rules, r)
	return nil
}

func (m *memory) SaveCampaign(_ context.Context, c webhook.Campaign) error {
	m.campaigns = append(m.campaigns, c)
	return nil
}

func (m *memory) SaveCap(_ context.Context, c webhook.Cap) error {
	m.caps = append(m.caps, c)
	return nil
}

func (m *memory) PeopleChanged(context.Context, string) error {
	m.definitions++
	return nil
}
