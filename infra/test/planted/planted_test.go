package planted

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/postino/postino/infra/tools/testserver"
	"github.com/postino/postino/shared/platform/aws/dynamostore"
	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/webhook"
)

// carried are the secrets that callbacks and requests for tokens carry: if they
// did not go out, nothing was proved.
var carried = []string{
	"named secret", "named secret of a header", "user name", "password", "bearer token", "header value", "client id", "client secret", "access token",
}

func TestPlantedSecretsAreNowhereInLocalMode(t *testing.T) {
	w := open(t, nil)
	w.exercise()
	w.files()
	w.close()
	w.files()
	w.rows()
	w.end()
}

func TestPlantedSecretsAreNowhereWithDynamoDB(t *testing.T) {
	client := dynamodb.NewFromConfig(aws.Config{
		Region: testserver.Region, BaseEndpoint: aws.String(testserver.DynamoDB(t)), // skips where none is installed
		Credentials: credentials.NewStaticCredentialsProvider(testserver.AccessKey, testserver.SecretKey, ""),
	}, dynamostore.Options, func(o *dynamodb.Options) {
		o.HTTPClient = o.HTTPClient.(*awshttp.BuildableClient).WithTimeout(time.Minute)
	})
	name := "planted-" + rand.Text()
	if err := dynamostore.CreateTable(t.Context(), client, name); err != nil {
		t.Fatal(err)
	}
	store := &breaking{Store: dynamostore.New(client, name)}
	w := open(t, store)
	w.broken = store.broken.Store
	w.exercise()
	w.files() // of the queues
	w.items(client, name, 100)
	w.close()
	w.rows()
	w.end()
}

// breaking refuses to write while it is broken.
type breaking struct {
	*dynamostore.Store
	broken atomic.Bool
}

var errBroken = errors.New("the store is broken")

func (b *breaking) PutSecret(ctx context.Context, s webhook.NamedSecret, keep bool) (webhook.NamedSecret, bool, error) {
	if b.broken.Load() {
		return s, false, errBroken
	}
	return b.Store.PutSecret(ctx, s, keep)
}

func (b *breaking) SaveSubscription(ctx context.Context, s webhook.Subscription, expect int64) (webhook.Subscription, error) {
	if b.broken.Load() {
		return s, errBroken
	}
	return b.Store.SaveSubscription(ctx, s, expect)
}

// NextDue answers what only a clock that is moved asks.
func (*breaking) NextDue(context.Context) (time.Time, error) { return time.Time{}, nil }

func (w *world) end() {
	w.Helper()
	if missing := w.missing(carried...); len(missing) > 0 {
		w.Errorf("no request carried %q", missing)
	}
	if !w.told() {
		w.Error("no operational event came")
	}
	w.judge()
}

// rows notes every key and value of the engine: in its files they are compressed,
// and a value that spans blocks is whole only here.
func (w *world) rows() {
	w.Helper()
	db, err := engine.Open(w.data)
	if err != nil {
		w.Fatal(err)
	}
	defer db.Close()
	n := 0
	err = db.Scan(engine.Span{From: []byte{1}, To: []byte{0xff}}, func(key, value []byte) (bool, error) {
		n++
		name := fmt.Sprintf("row %q", key)
		w.say(name, bytes.Clone(key))
		w.say(name, bytes.Clone(value))
		return true, nil
	})
	if err != nil || n == 0 {
		w.Fatalf("%d rows, %v", n, err)
	}
}

// items notes every attribute of the table.
func (w *world) items(client *dynamodb.Client, table string, least int) {
	w.Helper()
	n := 0
	pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: &table})
	for pages.HasMorePages() {
		page, err := pages.NextPage(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		for _, item := range page.Items {
			n++
			for name, value := range item {
				w.attribute(name, value)
			}
		}
	}
	if n < least {
		w.Errorf("%d items in the table, want all that was stored", n)
	}
}

func (w *world) attribute(name string, value types.AttributeValue) {
	switch v := value.(type) {
	case *types.AttributeValueMemberB:
		w.say("attribute "+name, v.Value)
	case *types.AttributeValueMemberS:
		w.say("attribute "+name, []byte(v.Value))
	case *types.AttributeValueMemberL:
		for _, inner := range v.Value {
			w.attribute(name, inner)
		}
	case *types.AttributeValueMemberM:
		for key, inner := range v.Value {
			w.attribute(name+"."+key, inner)
		}
	default:
		w.say("attribute "+name, fmt.Appendf(nil, "%v", v))
	}
}
