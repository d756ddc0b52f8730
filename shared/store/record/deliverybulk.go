package record

import (
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

func (s *Store) deliveryItem(d webhook.Delivery) table.Item {
	it := table.Item{Key: deliveryKey(d.Tenant, d.ID), Fields: table.Fields{revision: d.Rev, whole: table.Text(deliveryBulk(d))}}
	open := d.Status != webhook.Succeeded
	switch {
	case !s.spread:
		it.Index[0] = subscriptionPlace(d.Tenant, d.Subscription, d.ID)
		if open {
			it.Index[1] = statusPlace(d.Tenant, d.Status, d.ID)
		}
	case open:
		it.Index[0] = openPlace(d.Tenant, d.Status, d.ID)
		it.Index[1] = openOfPlace(d.Tenant, d.Subscription, d.Status, d.ID)
	}
	if d.Status != webhook.Pending {
		it.Expires = s.in(s.Retention)
	}
	return it
}

// deliveryBulk begins with the status: see statusOf.
func deliveryBulk(d webhook.Delivery) []byte {
	b := make(bulk, 0, 384)
	b = b.text(string(d.Status)).text(d.EventSource).text(d.EventID).text(d.EventType).text(d.Subscription).text(d.Occasion).number(int64(d.Count))
	b = b.number(d.CreatedAt.UnixMilli()).number(d.Version).text(string(d.Waiting)).text(string(d.Reason)).text(d.Detail)
	b = b.number(int64(d.Round)).number(int64(d.Step)).number(int64(d.Attempts)).time(d.NextAt).time(d.EndedAt).time(d.WaitingSince)
	b = b.text(d.Digest).text(d.Claim.Token).time(d.Claim.Until).flag(d.Last != nil)
	if d.Last != nil {
		b = b.attempt(*d.Last)
	}
	return b
}

func statusOf(it table.Item) webhook.Status {
	f := &fields{rest: string(it.Fields.Text(whole))}
	return webhook.Status(f.text())
}

func readDelivery(tenant, id string, it table.Item) (webhook.Delivery, error) {
	f := &fields{rest: string(it.Fields.Text(whole))}
	d := webhook.Delivery{Tenant: tenant, ID: id, Rev: it.Fields.Int(revision)}
	d.Status, d.EventSource, d.EventID, d.EventType, d.Subscription, d.Occasion = webhook.Status(f.text()), f.text(), f.text(), f.text(), f.text(), f.text()
	d.Count, d.CreatedAt, d.Version = int(f.number()), time.UnixMilli(f.number()).UTC(), f.number()
	d.Waiting, d.Reason, d.Detail = webhook.Waiting(f.text()), webhook.Reason(f.text()), f.text()
	d.Round, d.Step, d.Attempts = int(f.number()), int(f.number()), int(f.number())
	d.NextAt, d.EndedAt, d.WaitingSince = f.time(), f.time(), f.time()
	d.Digest, d.Claim = f.text(), webhook.Claim{Token: f.text(), Until: f.time()}
	if f.flag() {
		last := f.attempt()
		d.Last = &last
	}
	return d, f.err()
}

func (b bulk) attempt(a webhook.Attempt) bulk {
	b = b.number(int64(a.Number)).flag(a.Manual).time(a.StartedAt).number(a.DurationMS).number(int64(a.StatusCode)).text(string(a.Error)).text(a.Detail)
	if b = b.flag(a.Response != nil); a.Response == nil {
		return b
	}
	b = b.number(int64(len(a.Response.Headers)))
	for name, value := range a.Response.Headers {
		b = b.text(name).text(value)
	}
	return b.text(a.Response.Body)
}

func (f *fields) attempt() webhook.Attempt {
	a := webhook.Attempt{Number: int(f.number()), Manual: f.flag(), StartedAt: f.time(), DurationMS: f.number(), StatusCode: int(f.number())}
	a.Error, a.Detail = webhook.ErrorClass(f.text()), f.text()
	if !f.flag() {
		return a
	}
	n := f.length()
	a.Response = &webhook.Response{Headers: make(map[string]string, n)}
	for range n {
		name := f.text()
		a.Response.Headers[name] = f.text()
	}
	a.Response.Body = f.text()
	return a
}
