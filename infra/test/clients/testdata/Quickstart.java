import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.DeliveriesApi;
import org.openapitools.client.api.EventsApi;
import org.openapitools.client.api.SubscriptionsApi;
import org.openapitools.client.model.CreatedSubscription;
import org.openapitools.client.model.Delivery;
import org.openapitools.client.model.DeliveryDetail;
import org.openapitools.client.model.NewEvent;
import org.openapitools.client.model.RequestSpec;
import org.openapitools.client.model.Status;
import org.openapitools.client.model.SubscriptionInput;
import org.openapitools.client.model.Trigger;

/**
 * The README's first callback, by the client of openapi-generator. Its arguments are the server's address, its admin
 * key, and the address of the receiver. It prints the id of the delivery and the signing secret.
 */
public class Quickstart {
    public static void main(String[] args) throws Exception {
        ApiClient client = new ApiClient();
        client.updateBaseUri(args[0]);
        client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + args[1]));
        String secret = subscribe(new SubscriptionsApi(client), args[2]);
        publish(new EventsApi(client));
        System.out.println(delivered(new DeliveriesApi(client)) + " " + secret);
    }

    static String subscribe(SubscriptionsApi api, String receiver) throws ApiException {
        CreatedSubscription made = api.createSubscription("acme", new SubscriptionInput()
            .id("fifth-flight")
            .url(receiver + "/points")
            .types(List.of("flight.booked"))
            .filter(Map.of("data", Map.of("cabin", List.of(Map.of("anything-but", "award")))))
            .trigger(new Trigger().key("subject").at(5).distinct("data.booking"))
            .request(new RequestSpec().body(Map.of(
                "user", "{{ subject }}", "points", 10, "reason", "flight {{ occasion.count }}, to {{ data.to }}"))));
        hold(made.getTrigger().getAt() == 5, made);
        try {
            api.createSubscription("acme", new SubscriptionInput().url("ftp://a.example"));
            hold(false, "a bad url was taken");
        } catch (ApiException refused) {
            hold(refused.getCode() == 422 && refused.getResponseBody().contains("\"field\":\"url\""), refused);
        }
        return made.getSecret();
    }

    static void publish(EventsApi api) throws ApiException {
        List<NewEvent> events = new ArrayList<>();
        for (String booking : List.of("B1", "B2", "B3", "B3", "B4", "B5", "B6")) {
            events.add(new NewEvent().type("flight.booked").subject("bob").data(Map.of("booking", booking, "cabin", "economy", "to", "LIS")));
        }
        hold(api.publishEvents("acme", events, null, null).getIds().size() == events.size(), events);
    }

    static String delivered(DeliveriesApi api) throws Exception {
        List<Delivery> found = List.of();
        for (long end = System.nanoTime() + 60_000_000_000L; found.isEmpty() && System.nanoTime() < end; Thread.sleep(20)) {
            found = api.listDeliveries("acme", "fifth-flight", null, null, Status.SUCCEEDED, null, null, null, null, null, null).getData();
        }
        DeliveryDetail one = api.getDelivery("acme", found.get(0).getId());
        hold(one.getAttempts().size() == 1 && one.getAttempts().get(0).getStatusCode() == 200 && one.getEndedAt() != null, one);
        return one.getId();
    }

    static void hold(boolean so, Object otherwise) {
        if (!so) {
            throw new IllegalStateException(String.valueOf(otherwise));
        }
    }
}
