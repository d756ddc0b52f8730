package postino

import (
	"context"
	"net/http"
	"net/url"
)

// CreateSubscription creates a subscription. The answer has the secret that
// signs its callbacks.
func (c *Client) CreateSubscription(ctx context.Context, s SubscriptionInput) (CreatedSubscription, error) {
	return answer[CreatedSubscription](ctx, c, http.MethodPost, "/subscriptions", s)
}

// PutSubscription creates a subscription, or replaces all its fields.
func (c *Client) PutSubscription(ctx context.Context, id string, s SubscriptionInput) (Subscription, error) {
	return answer[Subscription](ctx, c, http.MethodPut, subscription(id), s)
}

// PatchSubscription replaces the fields that are set. To restore a default,
// which null does, use [Client.Call].
func (c *Client) PatchSubscription(ctx context.Context, id string, change SubscriptionPatch) (Subscription, error) {
	return answer[Subscription](ctx, c, http.MethodPatch, subscription(id), change)
}

// Subscription returns a subscription.
func (c *Client) Subscription(ctx context.Context, id string) (Subscription, error) {
	return answer[Subscription](ctx, c, http.MethodGet, subscription(id), nil)
}

// DeleteSubscription deletes a subscription.
func (c *Client) DeleteSubscription(ctx context.Context, id string) error {
	return c.Call(ctx, Request{Method: http.MethodDelete, Path: subscription(id)}, nil)
}

// PauseSubscription holds a subscription's deliveries until it is resumed.
func (c *Client) PauseSubscription(ctx context.Context, id string) (Subscription, error) {
	return answer[Subscription](ctx, c, http.MethodPost, subscription(id)+"/pause", nil)
}

// ResumeSubscription also enables a subscription that Postino disabled.
func (c *Client) ResumeSubscription(ctx context.Context, id string) (Subscription, error) {
	return answer[Subscription](ctx, c, http.MethodPost, subscription(id)+"/resume", nil)
}

// SubscriptionSecret returns the secret that signs callbacks now.
func (c *Client) SubscriptionSecret(ctx context.Context, id string) (SigningSecret, error) {
	return answer[SigningSecret](ctx, c, http.MethodGet, subscription(id)+"/secret", nil)
}

// RotateSecret replaces the signing secret.
func (c *Client) RotateSecret(ctx context.Context, id string, r Rotation) (CreatedSubscription, error) {
	return answer[CreatedSubscription](ctx, c, http.MethodPost, subscription(id)+"/rotate-secret", r)
}

// Delivery returns a delivery with its attempts.
func (c *Client) Delivery(ctx context.Context, id string) (DeliveryDetail, error) {
	return answer[DeliveryDetail](ctx, c, http.MethodGet, delivery(id), nil)
}

// RetryDelivery makes one attempt now, in addition to the schedule.
func (c *Client) RetryDelivery(ctx context.Context, id string) (Delivery, error) {
	return answer[Delivery](ctx, c, http.MethodPost, delivery(id)+"/retry", nil)
}

// CancelDelivery cancels a delivery that is pending.
func (c *Client) CancelDelivery(ctx context.Context, id string) (Delivery, error) {
	return answer[Delivery](ctx, c, http.MethodPost, delivery(id)+"/cancel", nil)
}

// Event returns an event with its deliveries. It is 404 until it is stored,
// normally for milliseconds. Source is that with which it was published.
func (c *Client) Event(ctx context.Context, id, source string) (found EventDetail, err error) {
	query := url.Values{}
	if source != "" {
		query.Set("source", source)
	}
	err = c.Call(ctx, Request{Method: http.MethodGet, Path: "/events/" + url.PathEscape(id), Query: query}, &found)
	return found, err
}

func answer[T any](ctx context.Context, c *Client, method, path string, body any) (decoded T, err error) {
	err = c.Call(ctx, Request{Method: method, Path: path, Body: body}, &decoded)
	return decoded, err
}

func subscription(id string) string { return "/subscriptions/" + url.PathEscape(id) }
func delivery(id string) string     { return "/deliveries/" + url.PathEscape(id) }
