package subscription

import (
	"encoding/json"
	"strings"

	"github.com/postino/postino/shared/callback/cosign"
	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// readSignature reads the further signatures; who saves the subscription seals
// them. As with auth, what is as it is shown is what is stored.
func readSignature(d *draft, v strictjson.Value) {
	if d.now.Signature != nil && sameJSON(json.RawMessage(v), d.now.Signature.Shown) {
		d.Signature, d.Subscription.Signature = nil, d.now.Signature
		return
	}
	list, faults := cosign.Read(v)
	for _, f := range faults {
		d.faults.Add(f.Field, "%s", f.Detail)
	}
	d.Signature, d.Subscription.Signature = list, nil
}

func viewSignature(s webhook.Subscription) any {
	if s.Signature == nil {
		return nil
	}
	return s.Signature.Shown
}

// checkSignature judges the further signatures beside the other fields: each
// header has one owner, and what is signed is in the body.
func (d *draft) checkSignature() {
	names, form := d.Signature.Headers(), d.Signature.NeedsForm()
	if stored := d.Subscription.Signature; d.Signature == nil && stored != nil {
		names, form = stored.Headers, stored.Form
	}
	spec := webhook.RequestSpec{}
	if d.Subscription.Request != nil {
		spec = *d.Subscription.Request
	}
	if kind, _, _ := strings.Cut(spec.ContentType, ";"); form && !strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded") {
		d.faults.Add("signature", "the preset twilio signs the fields of a form: set request.content_type to application/x-www-form-urlencoded, and request.body to a form")
	}
	for _, signed := range names {
		for name := range spec.Headers {
			if render.SameHeader(name, signed) {
				d.faults.Add("request.headers."+name, "is set by signature")
			}
		}
		if (d.Auth != nil || d.Subscription.Auth != nil) && render.SameHeader(d.authHeader(), signed) {
			d.faults.Add("signature", "%s is set by auth", signed)
		}
	}
}

// signatureSecrets are the names that the further signatures mention.
func (w Wish) signatureSecrets() []string {
	if w.Signature == nil && w.Subscription.Signature != nil {
		return w.Subscription.Signature.Secrets
	}
	return w.Signature.Secrets()
}
