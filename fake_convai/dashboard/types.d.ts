// What the page gets from the fake, for `tsc`, which only checks the JavaScript and makes nothing (`make lint`).

interface Character {
  character_id: string;
  character_name: string;
  listing: string;
  memory_settings: { enabled: boolean };
}

interface EndUser {
  end_user_id: string;
  end_user_metadata: Record<string, unknown>;
  last_active_ts: string | null;
  last_ltm_usage_ts: string | null;
}

interface Memory {
  character_id: string;
  end_user_id: string;
  id: string;
  memory: string;
  metadata: Record<string, unknown>;
  created_at: string;
  updated_at: string;
}

interface Interaction {
  timestamp: string;
  user: string;
  character: string;
  is_trigger_input: boolean;
}

interface Session {
  character_id: string;
  end_user_id: string | null;
  sessionID: string;
  started_at: string;
  is_added_to_memory: boolean;
  interactions: Interaction[];
}

/** `GET /_fake/state` */
interface State {
  characters: Character[];
  end_users: EndUser[];
  memories: Memory[];
  sessions: Session[];
  rooms?: Room[];
}

/** A room of several characters. */
interface Room {
  room_session_id: string;
  room_name: string;
  max_num_participants: number;
  group_chat: boolean;
  active_membership_id: string | null;
  route_epoch: number;
  roster_epoch: number;
  characters: RoomMember[];
  participants: { participant_identity: string; end_user_id: string }[];
}

interface RoomMember {
  membership_id: string;
  character_id: string;
  display_name: string;
  character_session_id: string;
  status: string;
  failure_code: string | null;
}

/** An entry of `GET /_fake/requests` */
interface Entry {
  at: string;
  surface: string;
  method: string;
  path: string;
  body: any;
  status: number;
  response: unknown;
  duration_ms: number;
  fault: unknown;
  unknown_fields: string[];
  violations: string[];
  off_surface: boolean;
  explanations: { event: string; with?: string; because: string; fact?: string }[];
}

interface Clock {
  now: string;
  frozen: boolean;
  offset: number;
}

interface Fault {
  match: Record<string, string>;
  times: number | null;
  rate?: number;
  status?: number;
  delay_ms?: number;
  disconnect?: boolean;
  when: string;
}

/** `GET /_fake/pace` */
interface Pace {
  first_token_ms?: number;
  tokens_per_second?: number;
  words_per_minute?: number;
  jitter?: number;
}

/** One of both. */
interface Late {
  seconds?: number;
  reads?: number;
}

/** `GET /_fake/lag` */
interface Lag {
  extraction?: Late;
  end_users?: Late;
  chat_history?: Late;
}

/** Change a setting: method, path, body, what to say then, and the id of what has the focus then. */
type ChangeSetting = (method: string, path: string, body: unknown, said: string, focus: string) => Promise<void>;

/** What became of a fact that was added. */
interface Step {
  at: string;
  event: string;
  fact: string;
  because: string;
}

/** What the sections of a person's page are made from. */
interface Person {
  id: string;
  /** The record, if there is one. */
  user: EndUser | undefined;
  /** The account's. */
  characters: Character[];
  memories: Memory[];
  sessions: Session[];
  /** By the id of a memory. */
  history: Map<string, Step[]>;
}

/** Does something, and resolves to what to say when it is done, if anything. */
type Work = (signal: AbortSignal) => Promise<string | void>;

/** Changes something about a person; the first argument is what could not be done, should it fail. */
type Change = (what: string, work: Work) => Promise<void>;

interface View {
  show: (id: string) => Promise<void> | void;
  forget: () => void;
  /** End what goes on by itself. */
  hide?: () => void;
}

/** Beside `match`, what is answered: `reply`, or several, or something else that the fake can answer. */
interface Reply {
  match: string;
  reply?: string;
  replies?: string[];
}

/** `GET /_fake/replies` */
interface Replies {
  replies: Reply[];
  default: string | null;
}

/** An answer in place of the fake's own. */
interface Stub {
  match: { surface?: string; method?: string; path: string; body?: unknown };
  status?: number;
  body?: unknown;
  text?: string;
  base64?: string;
  times?: number | null;
}

/** An entry of `GET /_fake/accounts` */
interface Account {
  last_four: string;
  characters: number;
  end_users: number;
  memories: number;
  sessions: number;
  requests: number;
}

/** A frame of a live session, as `GET /_fake/messages` has it. */
interface Frame {
  at: string;
  character_session_id: string;
  character_id: string | null;
  end_user_id: string | null;
  direction: "in" | "out";
  type: string | null;
  message: any;
}

/** Where `/connect` leads. */
interface Connected {
  session_id: string;
  character_session_id: string;
  room_url: string;
}
