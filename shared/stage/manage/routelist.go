package manage

// Routes lists every route of the API, as "GET /healthz": those that a
// [Handler] serves, and publishing, which it knows as ingest's.
func Routes() []string {
	var list []string
	for _, route := range (&Handler{}).routes() {
		list = append(list, route.Method+" "+route.Pattern)
	}
	return list
}
