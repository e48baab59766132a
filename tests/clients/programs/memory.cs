// The memory and end-user calls of a Unity game, with the HttpClient that Unity's editor and most builds use. The base
// URL is production, where the newest SDK sends everything unless told otherwise.
using System;
using System.Net.Http;
using System.Text;

class Program
{
    static readonly HttpClient Client = new HttpClient();

    static void Call(string path, string body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(new Uri("https://api.convai.com/"), path));
        request.Headers.Add("CONVAI-API-KEY", Environment.GetEnvironmentVariable("CONVAI_API_KEY"));
        request.Headers.TryAddWithoutValidation("Accept", "application/json");
        request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        var response = Client.SendAsync(request).Result;
        Console.WriteLine((int)response.StatusCode + " " + response.Content.ReadAsStringAsync().Result);
    }

    static void Main()
    {
        var character = Environment.GetEnvironmentVariable("CHARACTER_ID");
        var who = "\"character_id\":\"" + character + "\",\"end_user_id\":\"player-42\"";
        Call("memory/add", "{" + who + ",\"memories\":[\"The user's name is Jörg.\",\"The user has a dog.\"]}");
        Call("memory/list", "{" + who + ",\"page\":1,\"page_size\":50}");
        Call("memory/delete-all", "{" + who + "}");
        Call("user/end-users/update", "{\"end_user_id\":\"player-42\",\"end_user_metadata\":{\"name\":\"Jörg\"}}");
        Call("user/end-users/delete", "{\"end_user_id\":\"player-42\"}");
        Call("character/update", "{\"charID\":\"" + character + "\",\"memorySettings\":{\"enabled\":true}}");
    }
}
