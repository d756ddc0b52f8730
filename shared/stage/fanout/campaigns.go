package fanout

import (
	"context"
	"slices"
	"time"

	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/people"
	"github.com/postino/postino/shared/people/campaign"
	"github.com/postino/postino/shared/webhook"
)

// campaigns asks the campaigns of subscriptions, as they are now.
type campaigns struct{ *Fanout }

// join has the campaigns of the subscriptions that match say what they can at once:
// whether they run, whom they are for, and that their rules are to be asked.
func (m *matched) join(faces map[string]face, at time.Time) {
	shut := map[string]bool{}
	for i := range m.entries {
		entry := &m.entries[i]
		id := faces[entry.Subscription].campaign
		if id == "" || entry.CancelsOnly || entry.Costly {
			continue
		}
		if m.members == nil {
			m.members = map[string]bool{}
		}
		m.members[entry.Subscription] = true
		c := m.definitions.Campaign(id)
		if why := closed(c, at); why != "" {
			entry.CancelsOnly, entry.Why = true, why
			shut[entry.Subscription] = true
			continue
		}
		entry.Asks = c.Common() != nil
		m.asks = m.asks || c.ReadsProfile()
		if c.Audience != nil {
			m.conditions = append(m.conditions, condition{entry.Subscription, c.Audience, webhook.ReasonAudience})
		}
	}
	m.conditions = slices.DeleteFunc(m.conditions, func(c condition) bool { return shut[c.subscription] })
}

// closed tells why nothing is sent of a campaign at a time; "" if it may be. One
// that does not exist is over.
func closed(c *campaign.Campaign, at time.Time) webhook.Reason {
	if c == nil {
		return webhook.ReasonEnded
	}
	return c.Closed(at)
}

// joined gives an entry the rules of its campaign beside its trigger, if they are to
// be asked.
func (f *campaigns) joined(ctx context.Context, tenant string, p planned, out *outgoing) (planned, error) {
	if !p.Asks {
		return p, nil
	}
	all, err := out.definitions(ctx, tenant)
	if err != nil {
		return p, err
	}
	p.subscriber = p.subscriber.with(all.Campaign(p.Campaign))
	return p, nil
}

// member is a subscriber with the rules of its campaign, and that campaign, as they
// are now.
func (f *campaigns) member(ctx context.Context, s *subscriber, out *outgoing) (*subscriber, *campaign.Campaign, error) {
	if s.Campaign == "" {
		return s, nil, nil
	}
	all, err := out.definitions(ctx, s.Tenant)
	if err != nil {
		return s, nil, err
	}
	c := all.Campaign(s.Campaign)
	if s.trigger == nil && (c == nil || c.Common() == nil) {
		return s, c, nil
	}
	return s.with(c), c, nil
}

// with is the subscriber with the rules of its campaign; nil is a campaign that is
// gone.
func (s *subscriber) with(c *campaign.Campaign) *subscriber {
	common := &trigger.Common{Campaign: s.Campaign}
	if c != nil && c.Common() != nil {
		common = c.Common()
	}
	joined := *s
	joined.trigger = s.trigger.With(common)
	return &joined
}

// definitions are a tenant's as the batch sees them.
func (o *outgoing) definitions(ctx context.Context, tenant string) (*people.Definitions, error) {
	a, err := o.view.of(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return a.defined(), nil
}

// stillMay tells why what has waited is not sent any more, by its campaign and by
// the profile of its subject as they are now; "" if it is.
func (f *campaigns) stillMay(ctx context.Context, s *subscriber, c *campaign.Campaign, e webhook.Event) (webhook.Reason, error) {
	if s.Campaign != "" {
		if why := closed(c, f.now()); why != "" {
			return why, nil
		}
	}
	return f.profiles.profileOf(ctx, s, e, c)
}
