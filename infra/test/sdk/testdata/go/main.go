package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"

	postino "github.com/postino/postino/sdk/go"
)

func main() {
	ctx := context.Background()
	client := postino.New(os.Getenv("POSTINO_URL"), os.Getenv("POSTINO_KEY"), "acme")
	came := make(chan string, 1)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		came <- r.URL.Path + " " + string(body)
	}))
	_, err := client.CreateSubscription(ctx, postino.SubscriptionInput{
		Id:      postino.To("fifth-flight"),
		Url:     postino.To(hook.URL + "/points"),
		Types:   &[]string{"flight.booked"},
		Filter:  &postino.Pattern{"data": map[string]any{"cabin": []any{map[string]any{"anything-but": "award"}}}},
		Trigger: &postino.Trigger{Key: postino.To[any]("subject"), At: postino.To(5), Distinct: postino.To("data.booking")},
		Request: &postino.RequestSpec{Body: map[string]any{
			"user": "{{ subject }}", "points": 10, "reason": "flight {{ occasion.count }}, to {{ data.to }}",
		}},
	})
	if err != nil {
		log.Fatal(err)
	}
	var events []postino.NewEvent
	for _, booking := range []string{"B1", "B2", "B3", "B3", "B4", "B5", "B6"} {
		events = append(events, postino.NewEvent{
			Type: "flight.booked", Subject: postino.To("bob"), Data: map[string]any{"booking": booking, "cabin": "economy", "to": "LIS"},
		})
	}
	if _, err := client.Publish(ctx, "", events...); err != nil {
		log.Fatal(err)
	}
	fmt.Println(<-came)
}
