package dynamostore

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// Shards of the lists that are spread over partitions. They can never change
// for a table that holds something.
const (
	eventShards    = 8 // also of a tenant's open deliveries
	deliveryShards = 4 // also of a subscription's open deliveries
)

// maxName is the longest tenant or subscription id of the contract.
const maxName = 64

// key is where an item stands.
type key struct{ pk, sk string }

// shard spreads sort keys over n partitions.
func shard(sk string, n int) string {
	h := fnv.New32a()
	h.Write([]byte(sk))
	return strconv.Itoa(int(h.Sum32() % uint32(n)))
}

// name returns a tenant or subscription id as a part of a key: itself if it
// is one, else its hash, so that no caller's "#" can reach another's keys.
func name(s string) string {
	if s == "" || len(s) > maxName || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		return "!" + webhook.Hash(20, "name", s)
	}
	return s
}

// millis writes a time so that strings sort as times do.
func millis(t time.Time) string { return fmt.Sprintf("%013d", max(t.UnixMilli(), 0)) }

func eventPK(tenant, eventKey string) string { return "e#" + name(tenant) + "#" + name(eventKey) }

func eventItemKey(tenant, eventKey string) key { return key{eventPK(tenant, eventKey), "E"} }

func planPageKey(tenant, eventKey, nonce string, page int) key {
	return key{eventPK(tenant, eventKey), fmt.Sprintf("P#%s#%06d", webhook.Hash(10, "nonce", nonce), page)}
}

func replayKey(tenant, eventKey, id string) key {
	return key{eventPK(tenant, eventKey), "R#" + webhook.Hash(15, "replay", id)}
}

// deliveryKey is where a delivery stands, false if id is no delivery id.
func deliveryKey(tenant, id string) (key, bool) {
	_, tag, err := webhook.ParseDeliveryID(id)
	if err != nil {
		return key{}, false
	}
	return key{deliveriesPK(tenant, tag, shard(id, deliveryShards)), id}, true
}

func deliveriesPK(tenant, tag, shard string) string {
	return "d#" + name(tenant) + "#" + tag + "#" + shard
}

// The parts of a delivery sort behind all deliveries of their partition.
func partsPrefix(id string) string    { return "~" + id + "/" }
func attemptsPrefix(id string) string { return partsPrefix(id) + "A#" }

func (k key) content() key { return key{k.pk, partsPrefix(k.sk) + "R"} }

func (k key) attempt(n int) key {
	return key{k.pk, fmt.Sprintf("%s%06d", attemptsPrefix(k.sk), n)}
}

// The keys of the indexes.
func eventsPK(tenant, shard string) string { return "e#" + name(tenant) + "#" + shard }

func eventSK(accepted time.Time, eventKey string) string {
	return millis(accepted) + "#" + name(eventKey)
}

// subjectPK has the subject as a hash: it may be any text, and may name a person.
func subjectPK(tenant, subject, shard string) string {
	return "u#" + name(tenant) + "#" + webhook.Hash(20, "subject", tenant, subject) + "#" + shard
}

func openPK(tenant string, status webhook.Status, shard string) string {
	return "d#" + name(tenant) + "#" + name(string(status)) + "#" + shard
}

func occasionsPK(tenant, shard string) string { return "o#" + name(tenant) + "#" + shard }

func openOfPK(tenant, tag string, status webhook.Status, shard string) string {
	return "d#" + name(tenant) + "#" + tag + "#" + name(string(status)) + "#" + shard
}
