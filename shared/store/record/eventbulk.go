package record

import (
	"encoding/json"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// eventItem is all of an event but its data.
func eventItem(e webhook.StoredEvent) table.Item {
	key := e.Key()
	position := eventPosition(e.AcceptedAt.UnixMilli(), key)
	it := table.Item{Key: eventKey(e.Tenant, key), Fields: table.Fields{whole: eventBulk(e, len(e.Data) > longData)}}
	it.Index[0] = eventPlace(e.Tenant, position)
	if e.Subject != "" {
		it.Index[1] = subjectPlace(e.Tenant, e.Subject, position)
	}
	return it
}

func eventBulk(e webhook.StoredEvent, dataApart bool) table.Text {
	b := make(bulk, 0, 256+len(e.Extensions)+48*len(e.Plan.Entries))
	b = b.number(e.AcceptedAt.UnixMilli()).text(e.Type).text(e.Source).text(e.ID).text(e.Subject).time(e.Time).text(e.Nonce)
	return table.Text(b.flag(e.Expunged).flag(dataApart).number(int64(e.History)).number(int64(e.Depth)).text(string(e.Extensions)).plan(e.Plan))
}

// readEvent reads an event, with its data unless that stands apart.
func readEvent(tenant string, it table.Item) (e webhook.StoredEvent, dataApart bool, err error) {
	f := &fields{rest: string(it.Fields.Text(whole))}
	e.Tenant, e.AcceptedAt = tenant, time.UnixMilli(f.number()).UTC()
	e.Type, e.Source, e.ID, e.Subject, e.Time, e.Nonce = f.text(), f.text(), f.text(), f.text(), f.time(), f.text()
	e.Expunged, dataApart = f.flag(), f.flag()
	e.History, e.Depth = webhook.History(f.number()), uint8(f.number())
	e.Extensions, e.Plan = f.json(), f.plan()
	e.Data, e.Profile = json.RawMessage(it.Fields.Text(eventData)), json.RawMessage(it.Fields.Text(eventProfile))
	return e, dataApart, f.err()
}

// plan writes a plan: most are small, and many empty.
func (b bulk) plan(p webhook.Plan) bulk {
	b = b.number(int64(p.Total)).number(int64(p.Pages)).text(p.Key)
	return b.entries(p.Entries)
}

func (f *fields) plan() webhook.Plan {
	p := webhook.Plan{Total: int(f.number()), Pages: int(f.number()), Key: f.text()}
	p.Entries = f.entries()
	return p
}

func (b bulk) entries(entries []webhook.PlanEntry) bulk {
	b = b.number(int64(len(entries)))
	for _, e := range entries {
		b = b.text(e.Subscription).number(e.Version).number(int64(e.Cancels)).flag(e.CancelsOnly).flag(e.Costly).number(int64(e.Group))
	}
	return b
}

func (f *fields) entries() (entries []webhook.PlanEntry) {
	if n := f.length(); n > 0 {
		entries = make([]webhook.PlanEntry, n)
	}
	for i := range entries {
		entries[i] = webhook.PlanEntry{Subscription: f.text(), Version: f.number(), Cancels: uint16(f.number()), CancelsOnly: f.flag(), Costly: f.flag(), Group: webhook.Group(f.number())}
	}
	return entries
}
