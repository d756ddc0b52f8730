package webhook

import "time"

// NamedSecret is a tenant's secret that subscriptions mention by its name.
type NamedSecret struct {
	Tenant    string
	Name      string
	Sealed    []byte // by secret.Sealer, additional data (tenant, "secrets", name)
	Portal    bool   // made for portal keys: they may name it, and it goes where they say
	UpdatedAt time.Time
}
