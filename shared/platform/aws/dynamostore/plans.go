package dynamostore

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/postino/postino/shared/webhook"
)

// PutPlanPage stores one page of a large plan (page 0 is the first). Pages
// are keyed by the publication's nonce, so that the loser of a race does not
// overwrite the winner's; a repeat overwrites the same entries.
func (s *Store) PutPlanPage(ctx context.Context, tenant, eventKey, nonce string, page int, entries []webhook.PlanEntry) error {
	it := at(planPageKey(tenant, eventKey, nonce, page))
	it.setText("pl", planText(entries))
	it.setInt("expires", s.lifetime())
	it.fit("pl")
	return s.put(ctx, "put plan page", it)
}

// PlanPage returns a stored page, or [webhook.ErrNotFound].
func (s *Store) PlanPage(ctx context.Context, tenant, eventKey, nonce string, page int) ([]webhook.PlanEntry, error) {
	k := planPageKey(tenant, eventKey, nonce, page)
	items, err := s.immutable(ctx, "plan page", []key{k})
	it, err := found(items[k], err)
	if err != nil {
		return nil, err
	}
	return entriesOf(it)
}

// planText writes entries as "S:N S:N", which people can read in a console.
// ":c5" behind that says that the event also cancels by the clauses of the bits
// in 5, ":o5" that it does nothing else, ":x5" that more was too much work to tell;
// ":g5" is its group.
func planText(entries []webhook.PlanEntry) []byte {
	var b []byte
	for i, e := range entries {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(append(b, e.Subscription...), ':')
		b = strconv.AppendInt(b, e.Version, 10)
		switch {
		case e.Costly:
			b = strconv.AppendUint(append(b, ":x"...), uint64(e.Cancels), 10)
		case e.CancelsOnly:
			b = strconv.AppendUint(append(b, ":o"...), uint64(e.Cancels), 10)
		case e.Cancels != 0:
			b = strconv.AppendUint(append(b, ":c"...), uint64(e.Cancels), 10)
		case e.Group != 0:
			b = strconv.AppendUint(append(b, ":g"...), uint64(e.Group), 36)
		}
	}
	return b
}

var errPlan = errors.New("dynamostore: a plan is not what we wrote")

func entriesOf(it item) ([]webhook.PlanEntry, error) {
	text, err := it.text("pl")
	if err != nil || len(text) == 0 {
		return nil, err
	}
	words := strings.Split(string(text), " ")
	entries := make([]webhook.PlanEntry, len(words))
	for i, word := range words {
		if entries[i], err = entryOf(word); err != nil {
			return nil, errPlan
		}
	}
	return entries, nil
}

func entryOf(word string) (e webhook.PlanEntry, err error) {
	subscription, version, _ := strings.Cut(word, ":")
	version, role, has := strings.Cut(version, ":")
	e.Subscription = subscription
	if e.Version, err = strconv.ParseInt(version, 10, 64); err != nil || !has {
		return e, err
	}
	if group, ok := strings.CutPrefix(role, "g"); ok {
		n, err := strconv.ParseUint(group, 36, 32)
		e.Group = webhook.Group(n)
		return e, err
	}
	bits, err := strconv.ParseUint(strings.TrimLeft(role, "cox"), 10, 16)
	e.Cancels, e.CancelsOnly, e.Costly = uint16(bits), role[0] == 'o', role[0] == 'x'
	return e, err
}
