package manage

import (
	"context"
	"errors"
	"fmt"

	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/people/campaign"
	"github.com/postino/postino/shared/webhook"
)

// rulesOf returns what gives subscriptions the rules of their campaigns, which are
// read once, and only if there is one.
func (h *Handler) rulesOf(ctx context.Context, tenant string) func(s webhook.Subscription) (*trigger.Spec, *campaign.Campaign, error) {
	var all map[string]*campaign.Campaign
	return func(s webhook.Subscription) (*trigger.Spec, *campaign.Campaign, error) {
		spec, err := trigger.Compile(s)
		if err != nil || s.Campaign == "" {
			return spec, nil, err
		}
		if all == nil {
			stored, caps, err := h.Store.Campaigns(ctx, tenant, campaign.MaxCampaigns+campaign.MaxCaps)
			if err != nil {
				return nil, nil, fmt.Errorf("read campaigns: %w", err)
			}
			var errs []error
			if all, errs = campaign.Compile(stored, caps); len(errs) > 0 {
				return nil, nil, errors.Join(errs...)
			}
		}
		c := all[s.Campaign]
		if c != nil && c.Common() != nil {
			spec = spec.With(c.Common())
		}
		return spec, c, nil
	}
}

// keptBy tells why a campaign would keep a subscription of it from an event, given
// with the profile of its subject; "" if it would not. One that is a draft is shown
// as if it ran.
func (h *Handler) keptBy(c *campaign.Campaign, e *pattern.Event) (webhook.Reason, string) {
	if c == nil {
		return webhook.ReasonEnded, "the campaign does not exist"
	}
	if why := c.Closed(h.now()); why != "" && c.State != campaign.Draft {
		return why, words[why]
	}
	if c.Audience != nil && c.Audience.Judge(e) != pattern.Yes {
		return webhook.ReasonAudience, missedIn("audience", c.AudienceFilter(), e, true)
	}
	return "", ""
}

// audienceMisses tells whether an event is none for a campaign, whenever it runs.
func audienceMisses(c *campaign.Campaign, e *pattern.Event) webhook.Reason {
	switch {
	case c == nil:
		return webhook.ReasonEnded
	case c.Audience != nil && c.Audience.Judge(e) != pattern.Yes:
		return webhook.ReasonAudience
	}
	return ""
}

// words say what a reason means that a campaign or quiet hours have.
var words = map[webhook.Reason]string{
	webhook.ReasonAudience:   "the subject is not whom the campaign is for",
	webhook.ReasonNotStarted: "the campaign is a draft, or begins later",
	webhook.ReasonEnded:      "the campaign was stopped, or is over",
	webhook.ReasonHoldout:    "the campaign holds this subject out, to compare",
	webhook.ReasonQuiet:      "it is quiet time",
}

// asWords says what was decided, as far as the reason alone does not.
func asWords(d trigger.Decision) string {
	if d.Reason == webhook.ReasonCap && d.By != "" {
		return d.By + " has no room"
	}
	return words[d.Reason]
}

// kept lists the subscriptions that their campaigns keep from an event.
func kept(entries []webhook.PlanEntry) []skippedView {
	list := []skippedView{}
	for _, entry := range entries {
		if entry.Why != "" {
			detail := words[entry.Why]
			if entry.Why == webhook.ReasonProfile {
				detail = "the profile does not meet the filter"
			}
			list = append(list, skippedView{entry.Subscription, entry.Why, detail, nil})
		}
	}
	return list
}
