package fanout_test

import (
	"crypto/rand"
	"fmt"
	"os"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/postino/postino/infra/tools/testserver"
	"github.com/postino/postino/shared/platform/aws/dynamostore"
	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localstore"
	"github.com/postino/postino/shared/store/storetest"
)

// few histories find each planted bug; see TestTheSimulatorFindsPlantedBugs.
const few = 1000

// histories is how many a test plays: few as a rule, all of them with
// POSTINO_PROVE, a tenth of the few with -short.
func histories(few, all int) int {
	if testing.Short() {
		return 1 + few/10
	}
	if os.Getenv("POSTINO_PROVE") != "" {
		return all
	}
	return few
}

// seeds returns the seeds to play, or only that of POSTINO_SEED.
func seeds(t *testing.T, n int) []uint64 {
	if text := os.Getenv("POSTINO_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return []uint64{seed}
	}
	seeds := make([]uint64, n)
	for i := range seeds {
		seeds[i] = uint64(i)
	}
	return seeds
}

// play plays one history in a bubble and returns what is wrong with it.
func play(t *testing.T, seed uint64, shapes []shape, open func() storetest.Store, plants ...func(*history)) (faults []string) {
	synctest.Test(t, func(t *testing.T) {
		h := newHistory(seed, open(), shapes)
		for _, plant := range plants {
			plant(h)
		}
		if err := h.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, fault := range h.check() {
			faults = append(faults, fmt.Sprintf("seed %d, %s: %s", seed, h.shape.name, fault))
		}
	})
	return faults
}

func TestASeedReplaysItsHistory(t *testing.T) {
	for seed := range uint64(40) {
		var told [2]string
		for i := range told {
			synctest.Test(t, func(t *testing.T) {
				h := newHistory(seed, newMemory(), shapes)
				if err := h.run(t.Context()); err != nil {
					t.Fatal(err)
				}
				for _, c := range h.commits {
					told[i] += fmt.Sprintln(c.by.number, c.clock, c.by.dead)
					for _, item := range c.items {
						told[i] += fmt.Sprintln(item.Part, item.Rev, string(item.Data))
					}
				}
			})
		}
		if told[0] != told[1] {
			t.Errorf("seed %d gave\n%s\nand then\n%s", seed, told[0], told[1])
		}
	}
}

func report(t *testing.T, faults []string) {
	t.Helper()
	for _, fault := range faults[:min(len(faults), 10)] {
		t.Error(fault)
	}
	if len(faults) > 0 {
		t.Fatalf("%d faults; replay one with POSTINO_SEED", len(faults))
	}
}

func TestTriggersAreExactInEveryHistory(t *testing.T) {
	var faults []string
	for _, seed := range seeds(t, histories(few, 100_000)) {
		faults = append(faults, play(t, seed, shapes, func() storetest.Store { return newMemory() })...)
	}
	report(t, faults)
}

func TestTriggersAreExactInLocalMode(t *testing.T) {
	all := seeds(t, histories(500, 20_000))
	for len(all) > 0 {
		n := min(100, len(all)) // to one file
		var faults []string
		synctest.Test(t, func(t *testing.T) { faults = playLocally(t, all[:n]) })
		report(t, faults)
		all = all[n:]
	}
}

func playLocally(t *testing.T, seeds []uint64) (faults []string) {
	dir, err := os.MkdirTemp(shm(), "postino-histories-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	db, err := engine.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	store := localstore.In(db)
	for _, seed := range seeds {
		h := newHistory(seed, store, shapes)
		if err := h.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, fault := range h.check() {
			faults = append(faults, fmt.Sprintf("seed %d, %s: %s", seed, h.shape.name, fault))
		}
	}
	return faults
}

func TestTriggersAreExactOnDynamoDB(t *testing.T) {
	store := dynamoStore(t)
	var faults []string
	for _, seed := range seeds(t, histories(60, 300)) {
		h := newHistory(seed, store, shapes)
		h.free = true
		if err := h.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, fault := range h.check() {
			faults = append(faults, fmt.Sprintf("seed %d, %s: %s", seed, h.shape.name, fault))
		}
	}
	report(t, faults)
}

// dynamoStore returns a store in a table of its own on the test server.
func dynamoStore(t *testing.T) storetest.Store {
	client := dynamodb.NewFromConfig(aws.Config{
		Region:       testserver.Region,
		BaseEndpoint: aws.String(testserver.DynamoDB(t)),
		Credentials:  credentials.NewStaticCredentialsProvider(testserver.AccessKey, testserver.SecretKey, ""),
	}, dynamostore.Options)
	table := "postino-" + rand.Text()
	if err := dynamostore.CreateTable(t.Context(), client, table); err != nil {
		t.Fatal(err)
	}
	return dynamostore.New(client, table)
}

// shm is a folder in memory, if there is one.
func shm() string {
	if _, err := os.Stat("/dev/shm"); err == nil {
		return "/dev/shm"
	}
	return ""
}
