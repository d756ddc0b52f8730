package noun

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

const (
	profilePartition = "f"
	// profileShards is the number of partitions that a tenant's profiles are spread
	// over: each takes 1,000 writes a second, and is a share that stands for all.
	profileShards = webhook.ProfileShares
	maxSubjectKey = 1000 // bytes; a sort key has at most 1,024
)

func profilesOf(tenant string, shard int) string {
	return of(profilePartition, tenant) + "#" + strconv.Itoa(shard)
}

func (n *Nouns) profileKey(tenant, subject string) table.Key {
	sort := subject
	if !isSubjectKey(sort) {
		sort = "!" + webhook.Hash(20, "subject", subject)
	}
	shard := 0
	for _, b := range []byte(webhook.Hash(5, "profile", subject)) {
		shard = (shard*31 + int(b)) % profileShards
	}
	return table.Key{Partition: profilesOf(tenant, shard), Sort: sort}
}

func isSubjectKey(subject string) bool {
	return isTypeKey(subject) && len(subject) <= maxSubjectKey && !strings.HasPrefix(subject, "!")
}

// Profiles returns the profiles that exist, by subject.
func (n *Nouns) Profiles(ctx context.Context, tenant string, subjects []string) (map[string]webhook.Profile, error) {
	keys := make([]table.Key, len(subjects))
	for i, subject := range subjects {
		keys[i] = n.profileKey(tenant, subject)
	}
	items, err := n.table.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	found := map[string]webhook.Profile{}
	for _, it := range items {
		p := readProfile(tenant, it)
		found[p.Subject] = p
	}
	return found, nil
}

// SaveProfile stores a profile in place of the revision before. It is
// [webhook.ErrConflict] if another revision is stored.
func (n *Nouns) SaveProfile(ctx context.Context, p webhook.Profile) error {
	w := n.ProfileWrite(p)
	_, _, err := n.table.Put(ctx, w.Item, table.How{If: w.If})
	if errors.Is(err, table.ErrRefused) {
		return webhook.ErrConflict
	}
	return err
}

// ProfileWrite is what stores a profile, for a transaction.
func (n *Nouns) ProfileWrite(p webhook.Profile) table.Write {
	return table.Write{
		Verb: table.Puts,
		Item: table.Item{Key: n.profileKey(p.Tenant, p.Subject), Fields: table.Fields{
			"su": p.Subject, "at": table.Text(p.Attributes), "co": table.Text(p.Computed), "rv": p.Revision, "u": table.Nanos(p.UpdatedAt),
		}},
		If: table.Revision("rv", p.Revision),
	}
}

// DeleteProfile removes a profile, or returns [webhook.ErrNotFound].
func (n *Nouns) DeleteProfile(ctx context.Context, tenant, subject string) error {
	return n.remove(ctx, n.profileKey(tenant, subject))
}

// PageProfiles lists profiles in an order of the store's own.
func (n *Nouns) PageProfiles(ctx context.Context, tenant string, page webhook.Page) (profiles []webhook.Profile, next string, err error) {
	shard, position, err := profilePosition(page.Position)
	if err != nil {
		return nil, "", err
	}
	for limit := max(page.Limit, 1); ; {
		some, next, err := n.pageShard(ctx, tenant, shard, webhook.Page{Position: position, Limit: limit - len(profiles), Desc: page.Desc})
		if err != nil {
			return nil, "", err
		}
		profiles, position = append(profiles, some...), next
		if next == "" {
			if shard++; shard == profileShards {
				return profiles, "", nil
			}
		}
		if len(profiles) == limit {
			return profiles, fmt.Sprintf("%d.%s", shard, position), nil
		}
	}
}

// PageProfileShare lists the profiles of one of [webhook.ProfileShares] shares. Which
// share a profile is in follows from its subject alone, as if by chance.
func (n *Nouns) PageProfileShare(ctx context.Context, tenant string, share int, page webhook.Page) (profiles []webhook.Profile, next string, err error) {
	return n.pageShard(ctx, tenant, share, page)
}

func (n *Nouns) pageShard(ctx context.Context, tenant string, shard int, page webhook.Page) (profiles []webhook.Profile, next string, err error) {
	return list[webhook.Profile]{profilePartition, shardOf(tenant, shard), isProfileSort, func(it table.Item) (webhook.Profile, error) {
		return readProfile(tenant, it), nil
	}}.from(ctx, n.table, profilesOf(tenant, shard), page)
}

func shardOf(tenant string, shard int) string { return tenant + "#" + strconv.Itoa(shard) }

// isProfileSort reports whether a position may name a sort key.
func isProfileSort(sort string) bool { return isTypeKey(sort) && len(sort) <= maxSubjectKey }

// profilePosition takes a position apart: the shard, and the position in its list.
func profilePosition(position string) (shard int, rest string, err error) {
	if position == "" {
		return 0, "", nil
	}
	digits, rest, ok := strings.Cut(position, ".")
	shard, err = strconv.Atoi(digits)
	if err != nil || !ok || shard < 0 || shard >= profileShards {
		return 0, "", webhook.ErrNotFound
	}
	return shard, rest, nil
}

func readProfile(tenant string, it table.Item) webhook.Profile {
	return webhook.Profile{
		Tenant: tenant, Subject: it.Fields.String("su"), Attributes: it.Fields.Text("at"), Computed: it.Fields.Text("co"),
		Revision: it.Fields.Int("rv"), UpdatedAt: it.Fields.Time("u"),
	}
}
