package record

import (
	"context"
	"strings"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// PageEvents lists events, without their data and plan.
func (s *Store) PageEvents(ctx context.Context, tenant string, filter webhook.EventFilter, page webhook.Page) ([]webhook.StoredEvent, string, error) {
	l := newList[webhook.StoredEvent](page, isEventPosition, "events", tenant, filter.Type, filter.Subject)
	prefix, anyEnd := strings.CutSuffix(filter.Type, "*")
	anyEnd = anyEnd || filter.Type == ""
	return l.read(ctx, s.table, s.eventsBetween(tenant, filter.Subject, page), func(_ string, it table.Item) (e webhook.StoredEvent, wanted bool, err error) {
		e, _, err = readEvent(tenant, it)
		e.Data, e.Profile, e.Plan = nil, nil, webhook.Plan{}
		wanted = e.Type == prefix || anyEnd && strings.HasPrefix(e.Type, prefix)
		return e, wanted && (filter.Subject == "" || e.Subject == filter.Subject), err
	})
}

// eventsBetween are the events of a tenant within the page's bounds, by
// acceptance; those with the subject, unless it is "". Where events expire, it has
// none that may have expired: an index does not tell.
func (s *Store) eventsBetween(tenant, subject string, page webhook.Page) span {
	begin, end := acceptedBetween(page)
	of := span{index: 1}
	if s.spread {
		begin = max(begin, s.Now().Add(time.Millisecond-s.Retention-grace).UnixMilli())
	}
	of.low, of.high = eventPosition(begin, ""), eventPosition(end-1, behindAll)
	place := eventPlace(tenant, "")
	if subject != "" {
		of.index, place = 2, subjectPlace(tenant, subject, "")
	}
	if !s.spread || of.index == 2 { // such an index has keys alone
		of.item = itself
	}
	of.partition, of.prefix = place.Partition, place.Sort
	return of
}

// eventPlace is where index 1 has an event.
func eventPlace(tenant, position string) table.Key { return at(eventKind, tenant, position) }

// subjectPlace is where index 2 has an event that has a subject.
func subjectPlace(tenant, subject, position string) table.Key {
	return at(subjectKind, tenant, webhook.Hash(20, "subject", subject)+separator+position)
}

// eventPosition is an event's place in the order of lists, as text that sorts
// so.
func eventPosition(acceptedMillis int64, key string) string {
	digits := table.Ordinal(acceptedMillis)
	return digits[len(digits)-acceptedDigits:] + key
}

// acceptedDigits is how much of an event's place its acceptance takes.
const acceptedDigits = 15

// isEventPosition reports whether the text is digits, and a key or nothing.
func isEventPosition(text string) bool {
	if len(text) < acceptedDigits || strings.Trim(text[:acceptedDigits], "0123456789") != "" {
		return false
	}
	key := text[acceptedDigits:]
	return key == "" || table.IsName(key)
}
