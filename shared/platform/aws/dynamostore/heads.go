package dynamostore

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/postino/postino/shared/webhook"
)

// Heads returns the current heads, consistently, in the order asked for.
// Those that do not exist have Version 0.
func (s *Store) Heads(ctx context.Context, refs []webhook.SubscriptionRef) ([]webhook.Head, error) {
	keys := make([]key, len(refs))
	for i, ref := range refs {
		keys[i] = headKey(ref.Tenant, ref.ID)
	}
	items, err := s.getAll(ctx, "heads", keys, true)
	if err != nil {
		return nil, err
	}
	heads := make([]webhook.Head, len(refs))
	for i, ref := range refs {
		if heads[i], err = headOf(ref.Tenant, ref.ID, items[keys[i]]); err != nil {
			return nil, err
		}
	}
	return heads, nil
}

// ListHeads returns up to limit heads with an id greater than after, by id,
// consistently. Only an empty list means the end.
func (s *Store) ListHeads(ctx context.Context, tenant, after string, limit int) ([]webhook.Head, error) {
	return takeHeads(ctx, s.mergeHeads(tenant, after, false, limit), tenant, limit)
}

// PageHeads returns one page of heads by id, consistently, and the position
// of the next; "" means the end.
func (s *Store) PageHeads(ctx context.Context, tenant string, page webhook.Page) (heads []webhook.Head, next string, err error) {
	list := listNamed("heads", tenant)
	after, err := list.end(page.Position, isName)
	if err != nil {
		return nil, "", err
	}
	m := s.mergeHeads(tenant, after, page.Desc, page.Limit)
	heads, err = takeHeads(ctx, m, tenant, page.Limit)
	if err == nil && len(heads) > 0 && m.more() {
		next = list.position(heads[len(heads)-1].ID)
	}
	return heads, next, err
}

// mergeHeads begins behind an id; "" means at the beginning.
func (s *Store) mergeHeads(tenant, after string, desc bool, limit int) *merge {
	r := keyRange{lo: "-", hi: "~", desc: desc}.behind(after)
	return s.merge("list heads", shardPKs(headShards, func(shard string) string { return headsPK(tenant, shard) }),
		r, source{consistent: true}, limit)
}

func takeHeads(ctx context.Context, m *merge, tenant string, limit int) ([]webhook.Head, error) {
	var heads []webhook.Head
	for len(heads) < limit {
		it, err := m.next(ctx)
		if err != nil || it == nil {
			return heads, err
		}
		head, err := headOf(tenant, it.str("sk"), it)
		if err != nil {
			return nil, err
		}
		heads = append(heads, head)
	}
	return heads, nil
}

func headItem(h webhook.Head) (item, error) {
	it := at(headKey(h.Tenant, h.ID))
	it.setInt("ve", h.Version)
	it.setInt("bo", h.Born)
	it.setStr("st", string(h.State))
	it.setText("fi", h.Filter)
	it.setInt("ep", h.Epoch)
	it.setInt("hw", int64(h.Heavy))
	if len(h.Cancels) > 0 {
		var cancels bytes.Buffer
		encoder := json.NewEncoder(&cancels)
		encoder.SetEscapeHTML(false) // filters stay as they were written
		if err := encoder.Encode(h.Cancels); err != nil {
			return nil, fmt.Errorf("dynamostore: encode cancel clauses: %w", err)
		}
		it.setText("cc", cancels.Bytes())
	}
	if len(h.Types) > 0 {
		list := make([]types.AttributeValue, len(h.Types))
		for i, typ := range h.Types {
			list[i] = str(typ)
		}
		it["ty"] = &types.AttributeValueMemberL{Value: list}
	}
	it.fit("cc", "fi")
	return it, nil
}

func headOf(tenant, id string, it item) (webhook.Head, error) {
	h := webhook.Head{
		Tenant: tenant, ID: id, Version: it.int("ve"), Born: it.int("bo"), State: webhook.State(it.str("st")), Epoch: it.int("ep"), Heavy: int(it.int("hw")),
	}
	if list, ok := it["ty"].(*types.AttributeValueMemberL); ok {
		for _, typ := range list.Value {
			h.Types = append(h.Types, item{"": typ}.str(""))
		}
	}
	filter, err := it.text("fi")
	if err != nil {
		return h, err
	}
	h.Filter = filter
	h.Health = it.health()
	return h, it.json("cc", &h.Cancels)
}

// shardPKs returns the partitions of a list that is spread over n shards.
func shardPKs(n int, pk func(shard string) string) []string {
	pks := make([]string, n)
	for i := range pks {
		pks[i] = pk(strconv.Itoa(i))
	}
	return pks
}
