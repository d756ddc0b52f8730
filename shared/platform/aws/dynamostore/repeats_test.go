package dynamostore_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/postino/postino/shared/webhook"
)

func TestAnOvertakenChangeBeginsAnew(t *testing.T) {
	store, net := behind(t)
	conflict := refused("TransactionCanceledException",
		`,"CancellationReasons":[{"Code":"None"},{"Code":"None"},{"Code":"TransactionConflict"},{"Code":"None"}]`)
	net.harm("TransactWriteItems", 3, conflict)
	_, err := store.SaveSubscription(t.Context(), loyalty(), 0)
	do(t, err)
	wantTenantVersion(t, store, 1)
	net.harm("TransactWriteItems", -1, conflict)
	other := loyalty()
	other.ID = "other"
	_, err = store.SaveSubscription(t.Context(), other, 0)
	wantError(t, "a change that is overtaken for ever", err, webhook.ErrBusy)
	net.harm("TransactWriteItems", -1, refused("TransactionCanceledException",
		`,"CancellationReasons":[{"Code":"ThrottlingError"},{"Code":"None"},{"Code":"None"},{"Code":"None"}]`))
	_, err = store.SaveSubscription(t.Context(), other, 0)
	wantError(t, "a throttled change", err, webhook.ErrBusy)
}

func TestBatchesAreFinished(t *testing.T) {
	store, net := behind(t)
	sub := loyalty()
	saved, err := store.SaveSubscription(t.Context(), sub, 0)
	do(t, err)
	ref := webhook.SubscriptionRef{Tenant: sub.Tenant, ID: sub.ID}
	two := []webhook.SubscriptionRef{ref, {Tenant: sub.Tenant, ID: "other"}}
	net.harm("BatchGetItem", 4, undone)
	heads, err := store.Heads(t.Context(), two)
	do(t, err)
	if heads[0].Version != saved.Version {
		t.Errorf("Heads = %+v", heads)
	}
	d := failed(booking("e", 100))
	do(t, store.EnterLine(t.Context(), ref, d.ID))
	net.harm("BatchWriteItem", 4, undone)
	do(t, store.LeaveLine(t.Context(), ref, []string{d.ID}))
	waiting, err := store.Line(t.Context(), ref, "", 9)
	do(t, err)
	if len(waiting) > 0 {
		t.Errorf("Line after all left = %v", waiting)
	}
	net.harm("every", -1, undone)
	_, err = store.Heads(t.Context(), two)
	wantError(t, "Heads of which nothing gets done", err, webhook.ErrBusy)
	wantError(t, "LeaveLine of which nothing gets done", store.LeaveLine(t.Context(), ref, []string{d.ID}), webhook.ErrBusy)
}

func TestVersionsNotSeenAtOnceAreReadConsistently(t *testing.T) {
	store, net := behind(t)
	saved, err := store.SaveSubscription(t.Context(), loyalty(), 0)
	do(t, err)
	net.harm("BatchGetItem", -1, lagging)
	ref := webhook.VersionRef{Tenant: saved.Tenant, ID: saved.ID, Version: saved.Version}
	versions, err := store.Versions(t.Context(), []webhook.VersionRef{ref, ref})
	do(t, err)
	if versions[0].Name != saved.Name || versions[1].Name != saved.Name {
		t.Errorf("Versions = %+v", versions)
	}
}

// lagging is a replica that has not seen anything yet: only consistent reads
// find what is stored.
func lagging(n *network, call *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(call.Body)
	if err != nil {
		return nil, err
	}
	if !bytes.Contains(body, []byte(`"ConsistentRead":true`)) {
		return answer(http.StatusOK, `{"Responses":{},"UnprocessedKeys":{}}`), nil
	}
	call.Body = io.NopCloser(bytes.NewReader(body))
	return n.HTTPClient.Do(call)
}
