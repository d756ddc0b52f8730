package record

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// The fields of an offer. One that nobody has pulled has no lease, but offerUntil
// is there: a write that wants to lease it must find it.
const (
	offerLease  = "tk"
	offerLeased = "at"
	offerUntil  = "un"
	notLeased   = int64(1)
	offersKept  = webhook.MaxWait + 48*time.Hour // what is longer there has been forgotten
)

// offerKey is where an offer stands: each attempt of a delivery has a place of its
// own, so that nobody who ends one takes the next away.
func offerKey(o webhook.Offer) table.Key {
	kind := "s"
	if o.Manual {
		kind = "m"
	}
	return and(ofSubscription(offerKind, o.Ref()), o.Delivery+separator+strconv.Itoa(o.Round)+"."+strconv.Itoa(o.Step)+"."+kind)
}

// PutOffer adds an offer; a repeat changes nothing.
func (s *Store) PutOffer(ctx context.Context, o webhook.Offer) error {
	_, _, err := s.table.Put(ctx, table.Item{
		Key: offerKey(o), Fields: table.Fields{offerUntil: notLeased}, Expires: s.Now().Add(offersKept),
	}, table.How{If: table.NoItem(), Wait: table.ForOthers})
	if errors.Is(err, table.ErrRefused) {
		return nil
	}
	return err
}

// LeaseOffer gives an offer that nobody has pulled yet to the holder of o.Lease, or
// reports false.
func (s *Store) LeaseOffer(ctx context.Context, o webhook.Offer) (bool, error) {
	_, _, err := s.table.Update(ctx, offerKey(o), table.Change{Set: table.Fields{
		offerLease: o.Lease, offerLeased: table.Nanos(o.LeasedAt), offerUntil: table.Nanos(o.Until),
	}}, table.How{If: table.Equal(offerUntil, notLeased), Wait: table.ForCommit})
	if errors.Is(err, table.ErrRefused) {
		return false, nil
	}
	return err == nil, err
}

// ReleaseOffer takes back what LeaseOffer gave, if that is still so.
func (s *Store) ReleaseOffer(ctx context.Context, o webhook.Offer) error {
	_, _, err := s.table.Update(ctx, offerKey(o), table.Change{Set: table.Fields{
		offerLease: "", offerLeased: int64(0), offerUntil: notLeased,
	}}, table.How{If: table.Equal(offerLease, o.Lease), Wait: table.ForOthers})
	if errors.Is(err, table.ErrRefused) {
		return nil
	}
	return err
}

// Offer returns an offer as it is, consistently, or [webhook.ErrNotFound].
func (s *Store) Offer(ctx context.Context, o webhook.Offer) (webhook.Offer, error) {
	it, err := one(ctx, s.table, offerKey(o))
	if err != nil {
		return webhook.Offer{}, err
	}
	return readOffer(o, it), nil
}

// Offers returns up to limit offers of a subscription, in the order of their
// deliveries. It may lag.
func (s *Store) Offers(ctx context.Context, sub webhook.SubscriptionRef, limit int) (offers []webhook.Offer, err error) {
	r := below(ofSubscription(offerKind, sub))
	r.Lagging = true
	begin := len(r.From)
	items, err := s.table.Page(ctx, r, limit)
	for _, it := range items {
		o := webhook.Offer{Tenant: sub.Tenant, Subscription: sub.ID}
		delivery, attempt, _ := strings.Cut(it.Sort[begin:], separator)
		parts := strings.Split(attempt, ".")
		if len(parts) != 3 {
			return nil, errBulk
		}
		o.Delivery, o.Manual = delivery, parts[2] == "m"
		o.Round, _ = strconv.Atoi(parts[0]) // ours
		o.Step, _ = strconv.Atoi(parts[1])
		offers = append(offers, readOffer(o, it))
	}
	return offers, err
}

func readOffer(o webhook.Offer, it table.Item) webhook.Offer {
	o.Lease, o.LeasedAt, o.Until = it.Fields.String(offerLease), time.Time{}, time.Time{}
	if o.Lease != "" {
		o.LeasedAt, o.Until = it.Fields.Time(offerLeased), it.Fields.Time(offerUntil)
	}
	return o
}

// DeleteOffers removes offers; a repeat changes nothing.
func (s *Store) DeleteOffers(ctx context.Context, offers []webhook.Offer) error {
	keys := make([]table.Key, len(offers))
	for i, o := range offers {
		keys[i] = offerKey(o)
	}
	return s.table.DeleteAll(ctx, keys, table.ForOthers)
}
