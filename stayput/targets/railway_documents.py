"""The GraphQL documents that are sent to Railway, each whole, so that it can be held against the schema."""

from collections.abc import Mapping

from stayput.targets.http import Call

NAMED = "{ edges { node { id name } } pageInfo { hasNextPage endCursor } }"
INSIDE = f"""{{
  id name
  environments(first: 500, after: $environments) {NAMED}
  services(first: 500, after: $services) {NAMED}
}}"""
PLACE = f"""query token($environments: String, $services: String) {{
  projectToken {{ environmentId project {INSIDE} }}
}}"""
PROJECTS = f"query projects($projects: String) {{ projects(first: 500, after: $projects) {NAMED} }}"
PROJECT = f"""query project($id: String!, $environments: String, $services: String) {{
  project(id: $id) {INSIDE}
}}"""
INSTANCE = """query instance($service: String!, $environment: String!, $project: String!, $built: Boolean!) {
  serviceInstance(serviceId: $service, environmentId: $environment) {
    serviceName source { image repo } startCommand preDeployCommand dockerfilePath rootDirectory
    healthcheckPath healthcheckTimeout sleepApplication cronSchedule
  }
  domains(projectId: $project, environmentId: $environment, serviceId: $service) {
    customDomains {
      domain targetPort syncStatus status { verified certificateStatus cdnProvider dnsRecords { status } }
    }
    serviceDomains { domain targetPort }
  }
  serviceInstanceAutoDeployStatus(projectId: $project, environmentId: $environment, serviceId: $service)
    @include(if: $built) { enabled }
}"""
VARIABLES = """query variables($service: String!, $environment: String!, $project: String!, $variables: String) {
  variables(projectId: $project, environmentId: $environment, serviceId: $service, unrendered: true)
  rendered: variables(projectId: $project, environmentId: $environment, serviceId: $service)
  environment(id: $environment, projectId: $project) { variables(first: 500, after: $variables) {
    edges { node { name serviceId isSealed } } pageInfo { hasNextPage endCursor }
  } }
}"""
UPSERT = "mutation upsert($input: VariableCollectionUpsertInput!) { variableCollectionUpsert(input: $input) }"
DELETE = "mutation delete($input: VariableDeleteInput!) { variableDelete(input: $input) }"
UPDATE = """mutation update($service: String!, $environment: String!, $input: ServiceInstanceUpdateInput!) {
  serviceInstanceUpdate(serviceId: $service, environmentId: $environment, input: $input)
}"""
AUTO_DEPLOY = """mutation autodeploy($input: ServiceInstanceAutoDeployUpdateInput!) {
  serviceInstanceAutoDeployUpdate(input: $input) { enabled }
}"""
DEPLOY = """mutation deploy($service: String!, $environment: String!, $commit: String) {
  serviceInstanceDeployV2(serviceId: $service, environmentId: $environment, commitSha: $commit)
}"""
DEPLOYMENTS = """query deployments($input: DeploymentListInput!) { deployments(first: 20, input: $input) {
  edges { node { id status deploymentStopped meta createdAt } }
} }"""
DEPLOYMENT = "query deployment($id: String!) { deployment(id: $id) { id status deploymentStopped meta createdAt } }"
CREATOR = "query creator($id: String!) { deployment(id: $id) { creator { name } } }"
CANCEL = "mutation cancel($id: String!) { deploymentCancel(id: $id) }"
ROLLBACK = "mutation rollback($id: String!) { deploymentRollback(id: $id) }"
LOGS = """query logs($id: String!, $limit: Int!) {
  buildLogs(deploymentId: $id, limit: $limit) { message timestamp }
  deploymentLogs(deploymentId: $id, limit: $limit) { message timestamp }
}"""

BUILD_LOG = "query buildlog($id: String!, $limit: Int!) { buildLogs(deploymentId: $id, limit: $limit) { message } }"


def call(name: str, document: str, variables: Mapping[str, object], repeatable: bool = True) -> Call:
    body = {"query": document, "variables": dict(variables)}
    return Call(name=name, method="POST", path="", body=body, repeatable=repeatable)
