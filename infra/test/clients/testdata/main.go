// Command quickstart is the README's first callback, by the generated client.
// Its arguments are the server's address, its admin key, and the file of the
// subscription. It prints the id of the delivery and the signing secret.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"example.com/quickstart/postino"
)

const tenant = "acme"

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	address, key, file := os.Args[1], os.Args[2], os.Args[3]
	client, err := postino.NewClientWithResponses(address, postino.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+key)
		return nil
	}))
	check(err)
	secret := subscribe(ctx, client, file)
	refused(ctx, client)
	publish(ctx, client, "B1", "B2", "B3", "B3", "B4", "B5", "B6")
	fmt.Println(delivered(ctx, client), secret)
}

// subscribe creates the subscription of the file and returns its secret.
func subscribe(ctx context.Context, client *postino.ClientWithResponses, file string) string {
	text, err := os.ReadFile(file)
	check(err)
	var wish postino.SubscriptionInput
	check(json.Unmarshal(text, &wish))
	made, err := client.PutSubscriptionWithResponse(ctx, tenant, "fifth-flight", wish)
	check(err)
	if made.JSON201 == nil || made.JSON201.Trigger == nil || *made.JSON201.Trigger.At != 5 {
		log.Fatalf("create: %s %s", made.Status(), made.Body)
	}
	return made.JSON201.Secret
}

// refused sees that a problem arrives as one.
func refused(ctx context.Context, client *postino.ClientWithResponses) {
	wrong := "ftp://a.example"
	answer, err := client.CreateSubscriptionWithResponse(ctx, tenant, postino.SubscriptionInput{Url: &wrong})
	check(err)
	problem := answer.ApplicationproblemJSON422
	if problem == nil || problem.Errors == nil || (*problem.Errors)[0].Field != "url" {
		log.Fatalf("a bad url: %s %s", answer.Status(), answer.Body)
	}
}

func publish(ctx context.Context, client *postino.ClientWithResponses, bookings ...string) {
	subject := "bob"
	var events postino.Publication
	for _, booking := range bookings {
		events = append(events, postino.NewEvent{
			Type: "flight.booked", Subject: &subject, Data: map[string]string{"booking": booking, "cabin": "economy", "to": "LIS"},
		})
	}
	answer, err := client.PublishEventsWithResponse(ctx, tenant, nil, events)
	check(err)
	if answer.JSON202 == nil || len(answer.JSON202.Ids) != len(bookings) {
		log.Fatalf("publish: %s %s", answer.Status(), answer.Body)
	}
}

// delivered waits for the delivery and reads it back.
func delivered(ctx context.Context, client *postino.ClientWithResponses) string {
	only, status := "fifth-flight", postino.Status("succeeded")
	for {
		list, err := client.ListDeliveriesWithResponse(ctx, tenant, &postino.ListDeliveriesParams{Subscription: &only, Status: &status})
		check(err)
		if list.JSON200 == nil {
			log.Fatalf("list: %s %s", list.Status(), list.Body)
		}
		if len(list.JSON200.Data) == 0 {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		one, err := client.GetDeliveryWithResponse(ctx, tenant, list.JSON200.Data[0].Id)
		check(err)
		if one.JSON200 == nil || len(one.JSON200.Attempts) != 1 || *one.JSON200.Attempts[0].StatusCode != 200 || one.JSON200.EndedAt == nil {
			log.Fatalf("delivery: %s %s", one.Status(), one.Body)
		}
		return one.JSON200.Id
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
