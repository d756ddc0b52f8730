package manage

import (
	"bytes"
	"reflect"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/webhook"
)

// profiled returns an event as a subscription would see it if it was published now:
// with the profile of its subject, which the event has changed by then. A portal
// key sees nothing of profiles. More says that something else of it reads the profile
// than filter and templates.
func (h *previews) profiled(r *httpapi.Request, s webhook.Subscription, asked previewed, more bool) (webhook.Event, *pattern.Event, error) {
	e := asked.Event
	decoded, err := trigger.DecodeEvent(e)
	if err != nil {
		return e, nil, err
	}
	filter, templates := subscription.ReadsProfile(s)
	if !filter && !templates && !more || r.Principal.Role == httpapi.Portal {
		return e, decoded, nil
	}
	d, err := h.definitions.compiled(r)
	if err != nil {
		return e, nil, err
	}
	p := webhook.Profile{Tenant: r.Tenant, Subject: e.Subject}
	if e.Subject != "" {
		if p, err = h.profiles.of(r, e.Subject); err != nil {
			return e, nil, err
		}
		if !asked.happened {
			p, err = d.Effects(e, decoded).Apply(d, p)
		}
		if err != nil {
			return e, nil, err
		}
	}
	view, err := d.ViewOf(p)
	if err != nil {
		return e, nil, err
	}
	e.Profile = view.Attributes
	env, err := d.Envelope(e, view)
	if err != nil {
		return e, nil, err
	}
	decoded, err = pattern.Decode(env)
	return e, decoded, err
}

// withoutProfile refuses what lets a portal key learn what is known of people: a
// filter or a template of its own that asks for it, and to move a subscription that
// has one.
func withoutProfile(now, next webhook.Subscription, moved bool) error {
	if !moved && next.URL == now.URL && bytes.Equal(now.Filter, next.Filter) && bytes.Equal(now.Quiet, next.Quiet) && reflect.DeepEqual(now.Request, next.Request) {
		return nil
	}
	filter, templates := subscription.ReadsProfile(next)
	var faults httpapi.Faults
	if subscription.QuietReadsProfile(next) {
		faults.Add("quiet.zone", "a portal key cannot ask for profile: want the name of a time zone")
	}
	if filter {
		faults.Add("filter", "a portal key cannot ask for profile or segment, nor change a subscription that does")
	}
	if templates {
		faults.Add("request", "a portal key cannot use profile in templates, nor change a subscription that does")
	}
	return faults.Err()
}
