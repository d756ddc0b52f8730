package record

import (
	"encoding/json"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// eventItem is an event, with its data and profile unless they stand apart.
func eventItem(e webhook.StoredEvent, apart bool) table.Item {
	key := e.Key()
	position := eventPosition(e.AcceptedAt.UnixMilli(), key)
	it := table.Item{Key: eventKey(e.Tenant, key), Fields: table.Fields{eventWhole: eventBulk(e, apart)}}
	it.Index[0] = eventPlace(e.Tenant, position)
	if e.Subject != "" {
		it.Fields[eventSubject] = e.Subject
		it.Index[1] = subjectPlace(e.Tenant, e.Subject, position)
	}
	if len(e.Extensions) > 0 {
		it.Fields[eventExtensions] = table.Text(e.Extensions)
	}
	if e.Expunged {
		it.Fields[eventExpunged] = int64(1)
	}
	if !apart {
		setPayload(it.Fields, e)
	}
	return it
}

func eventBulk(e webhook.StoredEvent, dataApart bool) table.Text {
	b := make(bulk, 0, 256+48*len(e.Plan.Entries))
	b = b.number(e.AcceptedAt.UnixMilli()).text(e.Type).text(e.Source).text(e.ID).time(e.Time).text(e.Nonce)
	return table.Text(b.flag(dataApart).number(int64(e.History)).number(int64(e.Depth)).plan(e.Plan))
}

// readEvent reads an event, with its data unless that stands apart.
func readEvent(tenant string, it table.Item) (e webhook.StoredEvent, dataApart bool, err error) {
	f := &fields{rest: string(it.Fields.Text(eventWhole))}
	e.Tenant, e.AcceptedAt = tenant, time.UnixMilli(f.number()).UTC()
	e.Type, e.Source, e.ID, e.Time, e.Nonce = f.text(), f.text(), f.text(), f.time(), f.text()
	dataApart = f.flag()
	e.History, e.Depth = webhook.History(f.number()), uint8(f.number())
	e.Plan = f.plan()
	e.Subject, e.Expunged = it.Fields.String(eventSubject), it.Fields.Int(eventExpunged) != 0
	e.Extensions, e.Data = json.RawMessage(it.Fields.Text(eventExtensions)), json.RawMessage(it.Fields.Text(eventData))
	e.Profile = json.RawMessage(it.Fields.Text(eventProfile))
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
		b = b.text(e.Subscription).number(e.Version).number(int64(e.Cancels)).flag(e.CancelsOnly).flag(e.Costly).number(int64(e.Group)).text(string(e.Why)).flag(e.Asks)
	}
	return b
}

func (f *fields) entries() (entries []webhook.PlanEntry) {
	if n := f.length(); n > 0 {
		entries = make([]webhook.PlanEntry, n)
	}
	for i := range entries {
		entries[i] = webhook.PlanEntry{Subscription: f.text(), Version: f.number(), Cancels: uint16(f.number()), CancelsOnly: f.flag(), Costly: f.flag(), Group: webhook.Group(f.number()), Why: webhook.Reason(f.text()), Asks: f.flag()}
	}
	return entries
}
