package dynamostore

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/postino/postino/shared/webhook"
)

const (
	// statsShards is the number of items that one hour of a subscription is
	// spread over: each takes 1,000 additions a second.
	statsShards = 4
	// namesAtOnce is the number of counts that one update adds, within the
	// limits of an expression.
	namesAtOnce = 150
	// countPrefix is how attributes begin that hold a count, whose name might
	// be one of DynamoDB's own words.
	countPrefix = "k_"
	// statsLimit bounds what one query of statistics reads: 31 days and the
	// hours that they begin and end in.
	statsLimit = (31*24 + 1) * statsShards
)

// AddStats adds each count to what is stored under its name.
func (s *Store) AddStats(ctx context.Context, st webhook.Stats) error {
	k := statsKey(webhook.SubscriptionRef{Tenant: st.Tenant, ID: st.Subscription}, st.Hour, rand.IntN(statsShards))
	for names := range slices.Chunk(slices.Sorted(maps.Keys(st.Counts)), namesAtOnce) {
		values, adds := item{":x": number(s.lifetime())}, make([]string, 0, len(names))
		for _, name := range names {
			values[":"+name] = number(st.Counts[name])
			adds = append(adds, countPrefix+name+" :"+name)
		}
		_, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &s.table, Key: at(k), ExpressionAttributeValues: values,
			UpdateExpression: aws.String("SET expires = :x ADD " + strings.Join(adds, ", ")),
		})
		if err != nil {
			return fault("add stats", err)
		}
	}
	return nil
}

// Stats lists what was counted from one time, included, to another, by hour.
func (s *Store) Stats(ctx context.Context, sub webhook.SubscriptionRef, from, before time.Time) ([]webhook.Stats, error) {
	if !from.Before(before) {
		return nil, nil
	}
	lo, hi := statsKey(sub, from, 0), statsKey(sub, before.Add(-time.Nanosecond), statsShards-1)
	in := s.rangeQuery(lo.pk, lo.sk, hi.sk)
	in.ConsistentRead = nil // half the price, for figures that are seconds old anyway
	items, err := s.query(ctx, "stats", in, statsLimit)
	if err != nil {
		return nil, err
	}
	var hours []webhook.Stats
	for _, it := range items {
		hour, err := statsHour(it.str("sk"))
		if err != nil {
			return nil, err
		}
		if n := len(hours); n == 0 || !hours[n-1].Hour.Equal(hour) {
			hours = append(hours, webhook.Stats{Tenant: sub.Tenant, Subscription: sub.ID, Hour: hour, Counts: map[string]int64{}})
		}
		for attribute := range it {
			if name, counts := strings.CutPrefix(attribute, countPrefix); counts {
				hours[len(hours)-1].Counts[name] += it.int(attribute)
			}
		}
	}
	return hours, nil
}
