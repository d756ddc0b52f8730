package dynamostore

import (
	"strings"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// list names one list with its tenant and filters. Its positions begin with
// it, so that a position of another list is refused.
type list string

func listNamed(route, tenant string, filters ...string) list {
	return list(webhook.Hash(5, append([]string{"list", route, tenant}, filters...)...))
}

// position is where a page ended, for callers to give back.
func (l list) position(end string) string { return string(l) + end }

// end takes a position apart; "" is the beginning. It returns
// [webhook.ErrNotFound] for what position cannot have made of this list.
func (l list) end(position string, valid func(end string) bool) (string, error) {
	if position == "" {
		return "", nil
	}
	end, ours := strings.CutPrefix(position, string(l))
	if !ours || !valid(end) {
		return "", webhook.ErrNotFound
	}
	return end, nil
}

func isName(s string) bool { return name(s) == s }

func isDeliveryID(s string) bool {
	_, _, err := webhook.ParseDeliveryID(s)
	return err == nil
}

// isEventSK reports whether s is 13 digits, "#" and an event key.
func isEventSK(s string) bool {
	accepted, key, ok := strings.Cut(s, "#")
	return ok && len(accepted) == 13 && strings.Trim(accepted, "0123456789") == "" && isName(key)
}

// endOfTime is the last millisecond that sort keys can tell.
var endOfTime = time.UnixMilli(9_999_999_999_999)

// within returns a page's bounds in whole milliseconds, both included.
// Acceptances are whole milliseconds, and the page's own bounds lie outside.
func within(page webhook.Page) (first, last time.Time) {
	last = endOfTime
	if !page.After.IsZero() {
		first = time.UnixMilli(min(page.After.UnixMilli()+1, endOfTime.UnixMilli()))
	}
	if !page.Before.IsZero() && page.Before.Before(last) {
		last = time.UnixMilli(page.Before.Add(-1).UnixMilli())
	}
	return first, last
}

// eventRange are the sort keys of the events that a page asks for.
func eventRange(page webhook.Page) keyRange {
	first, last := within(page)
	return keyRange{lo: millis(first), hi: millis(last) + "#~", desc: page.Desc}
}

// since bounds an event list's range by what retention keeps: of what is older
// an index does not know whether it has expired.
func (s *Store) since(r keyRange) keyRange {
	r.lo = max(r.lo, millis(s.Now().Add(time.Millisecond-s.Retention-grace)))
	return r
}

// deliveryRange are the ids of the deliveries that a page asks for. Its end is
// the least id of the next millisecond, which no hash will ever hit.
func deliveryRange(page webhook.Page) keyRange {
	first, last := within(page)
	return keyRange{lo: webhook.DeliveryIDBound(first), hi: webhook.DeliveryIDBound(last.Add(time.Millisecond)), desc: page.Desc}
}
