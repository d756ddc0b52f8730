// Package postino publishes events to Postino and manages its subscriptions.
//
// It needs only the standard library. Requests that may be repeated are repeated
// when the server is busy or the network fails:
//
//	client := postino.New("http://127.0.0.1:8080", key, "acme")
//	_, err := client.Publish(ctx, "", postino.NewEvent{Type: "order.paid", Data: map[string]any{"amount": 42.5}})
//
// The types of requests and answers are generated from the API's description.
// The module github.com/postino/postino/verify verifies callbacks. The package
// postinotest starts Postino in a test.
package postino

import (
	"net/http"
	"net/url"
	"time"
)

// Client is the API for one tenant. It is safe for concurrent use; set its
// fields before the first use.
type Client struct {
	// HTTP makes the requests; New sets one with a timeout of 30 s.
	HTTP *http.Client
	// Tries is how often a request is tried; New sets 6.
	Tries int

	base string // address of the tenant's routes
	key  string
}

// New makes a client. The address is that of the API, without /v1. The key is
// the admin key or one of the tenant.
func New(address, key, tenant string) *Client {
	for len(address) > 0 && address[len(address)-1] == '/' {
		address = address[:len(address)-1]
	}
	return &Client{
		HTTP: &http.Client{Timeout: 30 * time.Second}, Tries: 6,
		base: address + "/v1/tenants/" + url.PathEscape(tenant), key: key,
	}
}

// To makes a pointer, for the optional fields of requests.
func To[T any](value T) *T { return &value }
