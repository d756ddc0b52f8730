package openapi_test

// people makes profiles, computed attributes and segments.
func (r *recorder) people() {
	const flights, vip, user = acme + "/attributes/flights", acme + "/segments/vip", acme + "/profiles/u%2F1"
	r.call(201, "PUT", flights, `{"types":["flown"],"filter":{"data":{"n":[1]}},"keep":"last","value":"data.n","subject":"data.who"}`)
	r.call(200, "PUT", flights, `{"keep":"count","name":"flights","updated_at":"2026-03-01T12:00:00.000Z","deleted":false}`)
	r.call(422, "PUT", flights, `{"keep":"all"}`)
	r.call(200, "GET", flights, "")
	r.call(201, "PUT", vip, `{"name":"VIP","filter":{"profile":{"plan":["gold"]}}}`)
	r.call(200, "PUT", vip, `{"filter":{"profile":{"plan":["gold"]}}}`)
	r.call(422, "PUT", vip, `{"filter":{"data":{"n":[1]}}}`)
	r.call(200, "GET", vip, "")
	r.call(201, "PUT", user, `{"attributes":{"plan":"gold"}}`)
	r.call(200, "PUT", user, `{"attributes":{"plan":"gold"}}`, "If-Match", `"1"`)
	r.call(412, "PUT", user, `{"attributes":{"plan":"gold"}}`, "If-Match", `"1"`)
	r.call(412, "PATCH", user, `{"attributes":{"plan":null}}`, "If-Match", `"1"`)
	r.call(200, "PATCH", user, `{"attributes":{"name":"Ada"}}`)
	r.call(412, "DELETE", user, "", "If-Match", `"1"`)
	r.call(200, "GET", user, "")
	r.call(200, "POST", acme+"/profiles", `{"profiles":[{"subject":"u2","attributes":{"plan":"tin"}},{"subject":"u3","attributes":{}}]}`)
	r.call(422, "POST", acme+"/profiles", `{"profiles":[{"subject":"u2","attributes":{"flights":5}},{"subject":"u2"}]}`)
	page := r.call(200, "GET", acme+"/profiles?limit=1", "")
	r.call(200, "GET", acme+"/profiles?limit=1&cursor="+page["next_cursor"].(string), "")
	r.call(200, "GET", acme+"/profiles?segment=vip", "")
	r.call(422, "GET", acme+"/profiles?segment=none", "")
	r.call(200, "GET", acme+"/attributes", "")
	r.call(200, "GET", acme+"/segments", "")
	r.call(422, "DELETE", flights, "")
	r.call(204, "DELETE", flights+"?values=keep", "")
	r.call(204, "DELETE", flights+"?values=drop", "")
	r.call(204, "DELETE", vip, "")
	r.call(204, "DELETE", user, "")
}
