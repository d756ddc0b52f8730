package storetest

import (
	"context"

	"github.com/postino/postino/shared/webhook"
)

func (f *faulty) PutOffer(ctx context.Context, o webhook.Offer) error {
	return f.do("PutOffer", func() error { return f.store.PutOffer(ctx, o) })
}

func (f *faulty) Offers(ctx context.Context, sub webhook.SubscriptionRef, limit int) (offers []webhook.Offer, err error) {
	err = f.do("Offers", func() (err error) { offers, err = f.store.Offers(ctx, sub, limit); return err })
	return offers, err
}

func (f *faulty) Offer(ctx context.Context, o webhook.Offer) (found webhook.Offer, err error) {
	err = f.do("Offer", func() (err error) { found, err = f.store.Offer(ctx, o); return err })
	return found, err
}

func (f *faulty) LeaseOffer(ctx context.Context, o webhook.Offer) (leased bool, err error) {
	err = f.do("LeaseOffer", func() (err error) { leased, err = f.store.LeaseOffer(ctx, o); return err })
	return leased, err
}

func (f *faulty) ReleaseOffer(ctx context.Context, o webhook.Offer) error {
	return f.do("ReleaseOffer", func() error { return f.store.ReleaseOffer(ctx, o) })
}

func (f *faulty) DeleteOffers(ctx context.Context, offers []webhook.Offer) error {
	return f.do("DeleteOffers", func() error { return f.store.DeleteOffers(ctx, offers) })
}
