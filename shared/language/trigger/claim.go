package trigger

import (
	"slices"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// touchAfter is how old a claim that lasts for ever gets before its expiry is
// moved on by who meets it.
const touchAfter = 30 * day

// claim claims once, cap and what the campaign shares, all or none, and returns the
// reason if one of them is held, with the shared cap that it is.
func (o *Occurrence) claim(st *state, now time.Time) (reason webhook.Reason, by string) {
	if o.held(st, now) {
		if o.spec.once && st.once.item.Expires.Before(now.Add(o.spec.forever-touchAfter)) {
			st.once.set(st.once.value, now.Add(o.spec.forever))
		}
		return webhook.ReasonOnce, ""
	}
	mine := claim{o.eventKey, o.delivery, now.UTC()}
	claims, free := o.spec.cap.take(st.cap.value.Claims, mine, now)
	if !free {
		return webhook.ReasonCap, ""
	}
	if full := o.claimShared(st, now); full != nil {
		return webhook.ReasonCap, full.Name
	}
	if o.spec.cap != nil {
		st.cap.set(ledger{claims}, now.Add(o.spec.cap.per+kept))
	}
	switch {
	case o.spec.once:
		st.once.set(mine, now.Add(o.spec.forever))
	case o.spec.oncePer > 0:
		st.once.set(mine, now.Add(o.spec.oncePer+kept))
	}
	return "", ""
}

// held reports whether another event has used once or once_per up.
func (o *Occurrence) held(st *state, now time.Time) bool {
	c := st.once.value
	if !st.once.exists() || c.Event == o.eventKey {
		return false
	}
	return o.spec.once || o.spec.oncePer > 0 && now.Before(c.At.Add(o.spec.oncePer))
}

// free is when what is claimed by now leaves room again; zero if it does not, or
// if the reason is another one.
func (o *Occurrence) free(st *state, d Decision) time.Time {
	reason, claims := d.Reason, st.cap.value.Claims
	switch {
	case reason == webhook.ReasonCap && d.By != "":
		return o.freeShared(st, d.By)
	case reason == webhook.ReasonOnce && o.spec.oncePer > 0 && st.once.exists():
		return st.once.value.At.Add(o.spec.oncePer)
	case reason == webhook.ReasonCap && o.spec.cap != nil && len(claims) >= o.spec.cap.max:
		return claims[len(claims)-o.spec.cap.max].At.Add(o.spec.cap.per)
	}
	return time.Time{}
}

// take adds a claim to those within the window, if there is room. A claim made
// before is found again. Without a limit there is room.
func (l *limit) take(claims []claim, mine claim, now time.Time) ([]claim, bool) {
	if l == nil {
		return nil, true
	}
	begin := now.Add(-l.per)
	claims = slices.DeleteFunc(slices.Clone(claims), func(c claim) bool { return !c.At.After(begin) })
	if slices.ContainsFunc(claims, func(c claim) bool { return c.Event == mine.Event }) {
		return claims, true
	}
	if len(claims) >= l.max {
		return claims, false
	}
	return append(claims, mine), true
}
