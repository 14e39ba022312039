import {
  type AddressRules,
  compileDeveloperValidator,
  compileValidator,
  type DeveloperEndpointId,
  developerEndpointById,
  developerEndpoints,
  type EndpointId,
  endpointById,
  endpoints,
} from "@cardwright/contract";
import { developerHandlers } from "./developer/handlers.ts";
import type { EndpointDeps } from "./endpoint-handler.ts";
import { endpointHandlers } from "./endpoint-handlers.ts";
import { type EndpointRoute, endpointRoute } from "./endpoint-route.ts";

export interface RouteOptions {
  readonly deps: EndpointDeps;
  readonly addressRules: AddressRules;
}

/** Everything that a merchant can call: the 19 endpoints and the developer API, each behind its own checks of its input. */
export function merchantRoutes(options: RouteOptions): EndpointRoute[] {
  return [
    ...endpoints.map(({ id }) => openApiRoute(id, options)),
    ...developerEndpoints.map(({ id }) => developerRoute(id, options)),
  ];
}

function openApiRoute<const Id extends EndpointId>(id: Id, { deps, addressRules }: RouteOptions): EndpointRoute<Id> {
  const validate = compileValidator(id, { addressRules });
  return endpointRoute({ id, endpoint: endpointById(id), validate, handle: endpointHandlers[id], deps });
}

function developerRoute<const Id extends DeveloperEndpointId>(id: Id, { deps }: RouteOptions): EndpointRoute<Id> {
  const validate = compileDeveloperValidator(id);
  return endpointRoute({ id, endpoint: developerEndpointById(id), validate, handle: developerHandlers[id], deps });
}
